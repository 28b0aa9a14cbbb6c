/** A table as `dump` and `dump_live_files` print it: its entries, then its properties. */

import { upperHex } from '../lib/hex.ts';
import { internalKeyText } from '../lib/internal-key-text.ts';
import { TableEntries } from '../lib/table-entries.ts';
import { refuseBlobIndex } from '../lib/blob-index.ts';
import { openTableFile } from '../lib/table-file.ts';
import { tablePropertiesText, tablePropertyLines } from '../lib/table-properties-text.ts';
import type { CommandContext } from './command-context.ts';
import { entryJson } from './entry-json.ts';

/** Prints the table at `path`, with the sequences that the file itself tells; with `--json` one object an entry, then one more. */
export async function printTable(context: CommandContext, path: string): Promise<void> {
  const { out, fileSystem, json } = context;
  const hex = context.flags.boolean('hex');
  const decode = context.flags.boolean('decode_blob_index');
  if (!json) out.line(`Process ${path}`);
  const table = await openTableFile(fileSystem, path, true);
  try {
    if (!json) out.line('Sst file format: block-based');
    using entries = new TableEntries(table.reader);
    for (entries.seek(undefined); entries.valid; entries.next()) {
      if (decode) refuseBlobIndex(entries.key, path);
      if (json) out.line(entryJson(context, entries.key, entries.value));
      else out.line(...internalKeyText(entries.key, hex), ' => ', hex ? upperHex(entries.value) : entries.value);
      if (out.full) await out.flush();
    }
    const { properties } = table.reader;
    if (json) out.line(JSON.stringify({ file: path, properties: Object.fromEntries(tablePropertyLines(properties)) }));
    else out.write('\nTable Properties:\n', tablePropertiesText(properties, '\n', '='), '\n');
  } finally {
    table.close();
  }
}
