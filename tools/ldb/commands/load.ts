/** `load`: writes the lines of standard input, as `dump` prints them. */
import { WriteBatch } from '../../../src/index.ts';
import { Progress } from '../../lib/progress.ts';
import { CREATE_FLAG, type LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { isOtherDumpLine, parseKeyValueLine } from '../key-value-line.ts';
import { withTime } from '../ttl-value.ts';

const BATCH_COUNT = 1000;
const BATCH_SIZE = 1 << 20;

/** Lines that are no `key ==> value` are counted and passed over. */
export const loadCommand: LdbCommand = {
  name: 'load',
  usage: 'load [--create_if_missing] [--disable_wal] [--bulk_load] [--compact]',
  group: 'admin',
  formats: ['hex', 'ttl'],
  flags: {
    ...CREATE_FLAG,
    disable_wal: { kind: 'boolean' },
    bulk_load: { kind: 'boolean' },
    compact: { kind: 'boolean' },
  },
  needsDatabase: true,
  async run(context) {
    const { flags } = context;
    await using db = await context.openForWrite(flags.boolean('create_if_missing'));
    const family = context.family(db);
    // A bulk load is over before anything is compacted; its end may be.
    if (flags.boolean('bulk_load')) await db.setOptions({ disableAutoCompactions: true });
    const write = { disableWAL: flags.boolean('disable_wal') };
    const progress = new Progress(context.streams, 'rows loaded');
    let badLines = 0;
    let batch = new WriteBatch();
    for await (const line of context.streams.lines()) {
      const pair = parsePair(context, line);
      if (pair === undefined) {
        if (!isOtherDumpLine(line)) badLines++;
        continue;
      }
      batch.put(pair.key, pair.value, family);
      await progress.step();
      if (batch.count < BATCH_COUNT && batch.byteSize < BATCH_SIZE) continue;
      await db.write(batch, write);
      batch = new WriteBatch();
    }
    if (batch.count > 0) await db.write(batch, write);
    progress.finish();
    if (badLines > 0) context.out.line(`Warning: ${badLines} bad lines ignored.`);
    if (flags.boolean('compact')) await family.compactRange();
  },
};

function parsePair(context: CommandContext, line: string): { key: Uint8Array; value: Uint8Array } | undefined {
  const pair = parseKeyValueLine(context, line);
  if (pair === undefined) return undefined;
  return context.ttl ? { key: pair.key, value: withTime(pair.value, context.nowSeconds()) } : pair;
}
