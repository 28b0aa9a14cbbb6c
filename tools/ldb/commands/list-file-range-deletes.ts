/** `list_file_range_deletes`: the range tombstones in tables, table by table. */
import { FragmentedTombstones } from '../../../format/iterator/range-tombstones.ts';
import { upperHex } from '../../lib/hex.ts';
import { openTableFile } from '../../lib/table-file.ts';
import { type LdbCommand, MAX_KEYS_FLAG } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { type LiveTable, liveTables } from '../live-tables.ts';

const MAX_KEYS = 1000;

/** One line a tombstone; overlapping ones are shown cut into pieces that do not overlap, newest first. */
export const listFileRangeDeletesCommand: LdbCommand = {
  name: 'list_file_range_deletes',
  usage: 'list_file_range_deletes [--max_keys=<N>] : print tombstones in SST files.',
  group: 'data',
  formats: ['hex', 'json'],
  flags: MAX_KEYS_FLAG,
  needsDatabase: true,
  async run(context) {
    let left = context.flags.number('max_keys') ?? MAX_KEYS;
    await using db = await context.openForRead();
    context.family(db);
    // RocksDB's tool shows nothing at all then.
    const tables = left <= 0 ? [] : await liveTables(context, db);
    for (const table of tables) {
      if (table.metadata.columnFamily !== context.familyName) continue;
      left = await printTombstones(context, table, left);
      if (left < 0) break;
    }
    if (left < 0 && tables.length > 0 && !context.json) context.out.line('(results may not be complete)');
    if (!context.json) context.out.line();
  },
};

async function printTombstones(context: CommandContext, { path, metadata }: LiveTable, limit: number): Promise<number> {
  if (!context.json) context.out.line(`=== file : ${path} ===`);
  const table = await openTableFile(context.fileSystem, path, true, metadata.largestSequence);
  let left = limit;
  try {
    const { fragments } = new FragmentedTombstones(table.comparator, table.reader.rangeTombstones);
    for (const { begin, end, sequences } of fragments) {
      for (const sequence of sequences) {
        if (--left < 0) return left;
        if (context.json) {
          const range = { start: context.jsonKey(begin), end: context.jsonKey(end) };
          context.out.line(JSON.stringify({ file: path, ...range, sequence }));
        } else {
          context.out.line(`start: ${upperHex(begin)} end: ${upperHex(end)} seq: ${sequence}`);
        }
      }
    }
    return left;
  } finally {
    table.close();
  }
}
