/** `--parse_internal_key`: takes an internal key apart. */
import { TRAILER_SIZE, typeOf, ValueType } from '../../../format/base/internal-key.ts';
import { parsePrefixedHex } from '../../lib/hex.ts';
import { internalKeyText } from '../../lib/internal-key-text.ts';
import type { Output } from '../../lib/output.ts';
import { ToolFailure } from '../../lib/tool-failure.ts';

/** Types that an entry of a table can have. */
const ENTRY_TYPES: ReadonlySet<number> = new Set([
  ValueType.deletion,
  ValueType.value,
  ValueType.merge,
  ValueType.singleDeletion,
  ValueType.rangeDeletion,
  ValueType.blobIndex,
  ValueType.deletionWithTimestamp,
  ValueType.wideColumnEntity,
  ValueType.valuePreferredSeqno,
]);

/** What a C program reports that returns -1. */
const EXIT_BAD_KEY = 255;

/** Prints the key's parts; returns the exit code. */
export function parseInternalKey(text: string, out: Output, err: Output): number {
  let key: Uint8Array;
  try {
    key = parsePrefixedHex(text);
  } catch (error) {
    err.line((error as Error).message);
    err.line(`ERROR: Invalid key input '${text}' Use 0x{hex representation of internal rocksdb key}`);
    return EXIT_BAD_KEY;
  }
  if (key.length < TRAILER_SIZE) {
    throw new ToolFailure(
      `Corrupted Key: Internal Key too small. Size=${key.length}. An internal key has at least ${TRAILER_SIZE} bytes`,
      EXIT_BAD_KEY,
    );
  }
  const parts = internalKeyText(key, true);
  out.line('key=', ...parts);
  if (ENTRY_TYPES.has(typeOf(key))) return 0;
  err.line('Corrupted Key: ', ...parts);
  return EXIT_BAD_KEY;
}
