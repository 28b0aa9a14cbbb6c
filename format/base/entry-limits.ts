/**
 * How large keys, values and batches may be. RocksDB's lengths have 32 bits; these limits are below that because a write is in
 * memory several times on its way (group, log record, memtable, table block), and all of that must fit into the kernel's 4 GiB:
 * what is accepted can always be flushed and recovered.
 */
import { invalidArgument } from './db-error.ts';

const MIB = 1024 * 1024;

/** Bytes of a key. */
export const KEY_SIZE_MAX = 64 * MIB;
/** Bytes of a value or a merge operand. */
export const VALUE_SIZE_MAX = 256 * MIB;
/** Bytes of an encoded batch: one largest entry, or many smaller ones. */
export const BATCH_SIZE_MAX = KEY_SIZE_MAX + VALUE_SIZE_MAX + MIB;

/** `INVALID_ARGUMENT` when the bytes (of a string: its UTF-8) are more than `most`; `what` begins the message. */
export function checkSize(bytes: Uint8Array | string, most: number, what: string): void {
  // Three bytes of UTF-8 at most for each UTF-16 unit.
  if (bytes.length * 3 <= most) return;
  const size = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
  if (size > most) throw invalidArgument(`${what} of ${size} bytes is too large: the limit is ${most}`);
}
