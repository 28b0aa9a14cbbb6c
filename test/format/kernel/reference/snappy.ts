/** Decoding snappy's raw format byte by byte; undefined for corrupt input. */
export function snappyReference(input: Uint8Array): number[] | undefined {
  const out: number[] = [];
  let p = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[p++];
    if (byte === undefined || shift > 28 || (shift === 28 && byte > 15)) return undefined;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  const number = (size: number): number | undefined => {
    if (p + size > input.length) return undefined;
    let value = 0;
    for (let i = 0; i < size; i++) value += input[p++]! * 256 ** i;
    return value;
  };
  while (p < input.length) {
    const tag = input[p++]!;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const n = short < 60 ? short : number(short - 59);
      if (n === undefined || p + n + 1 > input.length || out.length + n + 1 > length) return undefined;
      for (let i = 0; i <= n; i++) out.push(input[p++]!);
      continue;
    }
    const count = kind === 1 ? 4 + ((tag >> 2) & 7) : (tag >> 2) + 1;
    const rest = number(kind === 3 ? 4 : kind);
    if (rest === undefined) return undefined;
    const offset = kind === 1 ? (tag >> 5) * 256 + rest : rest;
    if (offset === 0 || offset > out.length || out.length + count > length) return undefined;
    for (let i = 0; i < count; i++) out.push(out[out.length - offset]!);
  }
  return out.length === length ? out : undefined;
}
