/** `check` and `scan`: reads the entries of a table in order, and prints them or not. */
import { startsWith } from '../../../format/base/bytes.ts';
import { compareBytes } from '../../../format/base/comparator.ts';
import { sequenceOf, typeOf, userKeyOf } from '../../../format/base/internal-key.ts';
import { refuseBlobIndex } from '../../lib/blob-index.ts';
import { bytesText } from '../../lib/bytes-text.ts';
import { upperHex } from '../../lib/hex.ts';
import { internalKeyText, sequenceText } from '../../lib/internal-key-text.ts';
import type { Output } from '../../lib/output.ts';
import { TableEntries } from '../../lib/table-entries.ts';
import type { OpenTableFile } from '../../lib/table-file.ts';
import type { DumpOptions } from '../options.ts';

/** What one table came to. */
export interface EntriesRead {
  readonly count: number;
  /** Whether the limit ended the reading before the table did. */
  readonly limited: boolean;
}

/**
 * Reads at most `limit` entries between the bounds, which are compared bytewise whatever the table's order is. CORRUPTION
 * when a block is damaged; the entries before it have been printed by then.
 */
export async function readEntries(
  table: OpenTableFile,
  options: DumpOptions,
  limit: number,
  out: Output,
): Promise<EntriesRead> {
  const { from, to, fromIsPrefix } = options;
  const print = options.command === 'scan';
  using entries = new TableEntries(table.reader, options.readaheadSize);
  let count = 0;
  for (entries.seek(from); entries.valid; entries.next()) {
    if (count >= limit) return { count, limited: true };
    const userKey = userKeyOf(entries.key);
    if (fromIsPrefix && !startsWith(userKey, from!)) break;
    if (to !== undefined && compareBytes(userKey, to) >= 0) break;
    count++;
    if (!print) continue;
    if (options.decodeBlobIndex) refuseBlobIndex(entries.key, table.path);
    if (options.json) printJson(entries.key, entries.value, options.outputHex, out);
    else out.line(...internalKeyText(entries.key, options.outputHex), ' => ', shown(entries.value, options.outputHex));
    if (out.full) await out.flush();
  }
  return { count, limited: false };
}

function shown(bytes: Uint8Array, hex: boolean): string | Uint8Array {
  return hex ? upperHex(bytes) : bytes;
}

function printJson(key: Uint8Array, value: Uint8Array, hex: boolean, out: Output): void {
  const sequence = sequenceText(sequenceOf(key));
  const entry = {
    key: bytesText(userKeyOf(key), hex),
    sequence: Number(sequence),
    type: typeOf(key),
    value: bytesText(value, hex),
  };
  out.line(JSON.stringify(entry));
}
