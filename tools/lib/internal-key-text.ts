/** Internal keys as RocksDB prints them: `'KEY' seq:N, type:T`. */
import { SENTINEL_SEQUENCE, sequenceOf, TRAILER_SIZE, typeOf, userKeyOf } from '../../format/base/internal-key.ts';
import { upperHex } from './hex.ts';

/** The largest sequence of the format, as it is printed. */
const MAX_SEQUENCE_TEXT = '72057594037927935';

/** A sequence in decimal; the sentinel with all its digits. */
export function sequenceText(sequence: number): string {
  return sequence === SENTINEL_SEQUENCE ? MAX_SEQUENCE_TEXT : String(sequence);
}

/** The same for one inside a key, where any number of 56 bits can stand. */
function exactSequenceText(key: Uint8Array): string {
  const sequence = sequenceOf(key);
  if (Number.isSafeInteger(sequence)) return String(sequence);
  const trailer = new DataView(key.buffer, key.byteOffset + key.length - TRAILER_SIZE, TRAILER_SIZE);
  return String(trailer.getBigUint64(0, true) >> 8n);
}

/** The parts of the text; the user key stays bytes unless `hex`. */
export function internalKeyText(key: Uint8Array, hex: boolean): (string | Uint8Array)[] {
  const userKey = userKeyOf(key);
  return ["'", hex ? upperHex(userKey) : userKey, `' seq:${exactSequenceText(key)}, type:${typeOf(key)}`];
}
