/** Numbers as RocksDB's reports print them. */

/** `1234`, `12K`, `12M`, `12G`. */
export function humanNumber(value: number): string {
  const size = Math.abs(value);
  if (size < 1e4) return String(value);
  if (size < 1e7) return `${Math.trunc(value / 1e3)}K`;
  if (size < 1e10) return `${Math.trunc(value / 1e6)}M`;
  return `${Math.trunc(value / 1e9)}G`;
}

/** `1.50 KB`, and so on to TB. */
export function humanBytes(bytes: number): string {
  const names = ['KB', 'MB', 'GB', 'TB'];
  let size = bytes / 1024;
  let unit = 0;
  for (; unit < names.length - 1 && size >= 1024; unit++) size /= 1024;
  return `${size.toFixed(2)} ${names[unit]}`;
}

/** `H:M:S`, two digits each and milliseconds. */
export function humanMicros(micros: number): string {
  const seconds = micros / 1e6;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds - hours * 3600) / 60);
  const rest = (seconds - hours * 3600 - minutes * 60).toFixed(3);
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}:${rest.padStart(6, '0')}`;
}

/** `bytes` over `micros`, in binary megabytes a second; 0 for no time. */
export function megabytesPerSecond(bytes: number, micros: number): number {
  return micros > 0 ? bytes / 1048576 / (micros / 1e6) : 0;
}

/** `a / b`, 0 where `b` is. */
export function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}
