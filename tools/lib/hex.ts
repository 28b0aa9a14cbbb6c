/** Bytes as RocksDB's tools print and take them: upper-case hex digits behind `0x`. */
import { fromHex, toHex } from '../../format/base/bytes.ts';
import { ToolFailure } from './tool-failure.ts';

/** Upper-case hex digits without a prefix. */
export function upperHex(bytes: Uint8Array): string {
  return toHex(bytes).toUpperCase();
}

/** Upper-case hex digits behind `0x`. */
export function prefixedHex(bytes: Uint8Array): string {
  return `0x${upperHex(bytes)}`;
}

/** The bytes of `0x…` in either case; a `ToolFailure` for anything else. */
export function parsePrefixedHex(text: string): Uint8Array {
  if (!text.startsWith('0x')) throw new ToolFailure(`Invalid hex input ${text}.  Must start with 0x`);
  if (text.length % 2 !== 0 || !/^0x[0-9a-fA-F]*$/.test(text)) {
    throw new ToolFailure(`Invalid hex input ${text}.  Expected an even number of hex digits`);
  }
  return fromHex(text.slice(2));
}
