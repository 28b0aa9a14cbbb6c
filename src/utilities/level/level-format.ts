/** Between the formats in which abstract-level hands data over (`utf8`, `buffer`, `view`) and the engine's bytes, and its ranges. */

/** What abstract-level stores: text, or bytes in either of their types. */
export type LevelData = string | Buffer | Uint8Array;

/** A range as abstract-level gives it: keys encoded, `gte` and `lte` before `gt` and `lt`. */
export interface LevelRange {
  gt?: LevelData;
  gte?: LevelData;
  lt?: LevelData;
  lte?: LevelData;
}

/** Options of writes. */
export interface LevelWriteOptions {
  /** Settle when the write survives a power cut. Default false. */
  sync?: boolean;
}

/** Makes a decoder of the engine's bytes, which it may keep, into a format. */
export function decoderOf(format: string): (bytes: Uint8Array) => LevelData {
  if (format === 'utf8') return decodeText;
  return format === 'buffer' ? decodeBuffer : (bytes) => bytes;
}

function decodeBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function decodeText(bytes: Uint8Array): string {
  return decodeBuffer(bytes).toString('utf8');
}

/** The engine's bytes of encoded data; borrowed if it is bytes already. */
export function bytesOf(data: LevelData): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data) : data;
}

/** The least key above `data` in bytewise order. */
function successor(data: LevelData): Uint8Array {
  const bytes = bytesOf(data);
  const next = new Uint8Array(bytes.length + 1);
  next.set(bytes);
  return next;
}

/** The first key of the range; `undefined`: open. */
export function lowerBound({ gt, gte }: LevelRange): Uint8Array | undefined {
  if (gte !== undefined) return bytesOf(gte);
  return gt === undefined ? undefined : successor(gt);
}

/** The first key behind the range; `undefined`: open. */
export function upperBound({ lt, lte }: LevelRange): Uint8Array | undefined {
  if (lte !== undefined) return successor(lte);
  return lt === undefined ? undefined : bytesOf(lt);
}

/** Whether a key lies in the range. */
export function inRange(key: Uint8Array, range: LevelRange): boolean {
  const [lower, upper] = [lowerBound(range), upperBound(range)];
  if (lower !== undefined && Buffer.compare(key, lower) < 0) return false;
  return upper === undefined || Buffer.compare(key, upper) < 0;
}

/** The least key above every key of the range up to and including `last`. */
export function boundBehind(last: Uint8Array): Uint8Array {
  return successor(last);
}
