/** Keys and values inside JSON, which has no bytes. */
import { strictTextOf } from '../../format/base/bytes.ts';
import { prefixedHex } from './hex.ts';

/** The bytes as text; as `0x…` when `hex`, or when they are no UTF-8 or begin like hex themselves, so nothing is lost. */
export function bytesText(bytes: Uint8Array, hex: boolean): string {
  const text = hex ? undefined : strictTextOf(bytes);
  return text === undefined || text.startsWith('0x') ? prefixedHex(bytes) : text;
}
