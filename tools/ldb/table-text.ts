/** A table as `dump` and `dump_live_files` print it: its entries, then its properties. */

import { upperHex } from '../lib/hex.ts';
import { internalKeyText } from '../lib/internal-key-text.ts';
import { TableEntries } from '../lib/table-entries.ts';
import { openTableFile } from '../lib/table-file.ts';
import { tablePropertiesText } from '../lib/table-properties-text.ts';
import type { CommandContext } from './command-context.ts';

/** Prints the table at `path`, with the sequences that the file itself tells. */
export async function printTable(context: CommandContext, path: string): Promise<void> {
  const { out, fileSystem } = context;
  const hex = context.flags.boolean('hex');
  out.line(`Process ${path}`);
  const table = await openTableFile(fileSystem, path, true);
  try {
    out.line('Sst file format: block-based');
    using entries = new TableEntries(table.reader);
    for (entries.seek(undefined); entries.valid; entries.next()) {
      const value = hex ? upperHex(entries.value) : entries.value;
      out.line(...internalKeyText(entries.key, hex), ' => ', value);
      if (out.full) await out.flush();
    }
    out.write('\nTable Properties:\n', tablePropertiesText(table.reader.properties, '\n', '='), '\n');
  } finally {
    table.close();
  }
}
