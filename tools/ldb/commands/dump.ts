/** `dump`: prints the keys of a range with their values, counts them, or prints one file of a database. */
import { parseFileName } from '../../../format/manifest/file-name.ts';
import { ToolFailure } from '../../lib/tool-failure.ts';
import { BLOB_FLAGS, type LdbCommand, MAX_KEYS_FLAG, RANGE_FLAGS } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { commandFailure } from '../command-failure.ts';
import { BucketCounts } from '../bucket-counts.ts';
import { CountByPrefix } from '../count-by-prefix.ts';
import { helpHint } from '../help-hint.ts';
import { DUMP_DELIMITER } from '../key-value-line.ts';
import { printTable } from '../table-text.ts';
import { printStats } from '../stats-text.ts';
import { type TimeWindow, timeWindow } from '../time-window.ts';
import { timeOf, timeText, withoutTime } from '../ttl-value.ts';
import { ValueSizes } from '../value-sizes.ts';
import { printWal } from '../wal-text.ts';
import { dumpManifest } from './manifest-dump.ts';

/** `--from` is inclusive, `--to` exclusive. With `--path` it prints a table, a log or a MANIFEST instead. */
export const dumpCommand: LdbCommand = {
  name: 'dump',
  usage:
    'dump [--from] [--to] [--ttl] [--max_keys=<N>] [--timestamp] [--count_only] [--count_delim=<char>] [--stats] [--bucket=<seconds>] ' +
    '[--start_time=<N>] [--end_time=<N>] [--path=<path_to_a_file>] [--decode_blob_index] [--dump_uncompressed_blobs]',
  group: 'admin',
  formats: ['hex', 'json', 'ttl'],
  flags: {
    ...RANGE_FLAGS,
    ...MAX_KEYS_FLAG,
    timestamp: { kind: 'boolean' },
    count_only: { kind: 'boolean' },
    count_delim: { kind: 'text', bare: '.' },
    stats: { kind: 'boolean' },
    bucket: { kind: 'integer' },
    start_time: { kind: 'integer' },
    end_time: { kind: 'integer' },
    path: { kind: 'text' },
    ...BLOB_FLAGS,
  },
  needsDatabase: false,
  async run(context) {
    const path = context.flags.text('path');
    if (path !== undefined && path !== '') await dumpFile(context, path);
    else if (path === '' && context.path === '') throw new ToolFailure('Either db or path must be specified.');
    else if (context.path === '') throw new ToolFailure(helpHint());
    else await dumpDatabase(context);
  },
};

async function dumpFile(context: CommandContext, path: string): Promise<void> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  switch (parseFileName(name)?.kind) {
    case 'wal':
      return printWal(context, path, { header: true, values: true });
    case 'table':
      return printTable(context, path);
    case 'manifest':
      return dumpManifest(context, path);
    case undefined:
      throw commandFailure(`Can't parse file type: ${path}`);
    default:
      throw commandFailure(`Not implemented: a ${name} cannot be dumped`);
  }
}

async function dumpDatabase(context: CommandContext): Promise<void> {
  const { flags, out, json } = context;
  const maxKeys = flags.number('max_keys') ?? -1;
  const delimiter = flags.text('count_delim');
  const groups = delimiter === undefined ? undefined : new CountByPrefix(context, delimiter);
  const countOnly = flags.boolean('count_only');
  const sizes = new ValueSizes();
  await using db = await context.openForRead();
  const family = context.family(db);
  if (flags.boolean('stats')) {
    printStats(context, family);
    return;
  }
  const window = timeWindow(context, 'Dumping');
  const buckets = bucketsOf(context, window);
  using iterator = family.newIterator(context.bounds());
  let count = 0;
  for (iterator.seekToFirstSync(); iterator.valid; iterator.nextSync()) {
    if (maxKeys >= 0 && count >= maxKeys) break;
    const { key, value } = iterator;
    if (context.ttl && !window.contains(value)) continue;
    count++;
    buckets?.add(value);
    const size = context.ttl ? withoutTime(value).length : value.length;
    sizes.add(size);
    if (groups !== undefined) groups.add(key, size);
    else if (!countOnly) printRow(context, key, value);
    if (out.full) await out.flush();
  }
  const error = iterator.status();
  if (error !== undefined) throw error;
  if (buckets !== undefined) await buckets.print(context);
  else if (groups !== undefined) groups.finish();
  else if (!json) out.line(`Keys in range: ${count}`);
  else if (countOnly) out.line(JSON.stringify({ keys: count, valueSizes: sizes.data() }));
  if (countOnly && !json) out.write('Value size distribution: \n', sizes.text(), '\n');
}

/** `undefined` unless `--bucket` cuts the window; without `--ttl` there is nothing to cut. */
function bucketsOf(context: CommandContext, window: TimeWindow): BucketCounts | undefined {
  const seconds = context.flags.number('bucket') ?? 0;
  const cuts = context.ttl && seconds > 0 && seconds < window.end - window.start;
  return cuts ? new BucketCounts(window, seconds) : undefined;
}

function printRow(context: CommandContext, key: Uint8Array, stored: Uint8Array): void {
  const value = context.ttl ? withoutTime(stored) : stored;
  const time = context.ttl && context.flags.boolean('timestamp') ? timeOf(stored) : undefined;
  if (context.json) {
    const row = { key: context.jsonKey(key), value: context.jsonValue(value) };
    context.out.line(JSON.stringify(time === undefined ? row : { ...row, time }));
    return;
  }
  if (time !== undefined) context.out.write(`${timeText(time)} `);
  context.out.line(context.shownKey(key), DUMP_DELIMITER, context.shownValue(value));
}
