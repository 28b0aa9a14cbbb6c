/** Workloads that write values: in order, at random, each key once, in batches, synced, large. */
import { WriteBatch } from '../../../src/index.ts';
import type { BenchThread } from '../bench-run.ts';
import type { Workload } from '../workload.ts';
import { WriteLimit } from '../write-limit.ts';

/** Which key the n-th write has. */
export type KeyOrder = (thread: BenchThread) => (at: number) => number;

const sequential: KeyOrder = () => (at) => at;
const random: KeyOrder = (thread) => () => thread.below(thread.run.settings.entries);

/** Every key below the number of entries once, in random order. */
const permuted: KeyOrder = (thread) => {
  const { entries } = thread.run.settings;
  const order = Float64Array.from({ length: entries }, (_, at) => at);
  for (let at = entries - 1; at > 0; at--) {
    const other = thread.below(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return (at) => order[at % entries]!;
};

/** Writes `settings.writes` values. */
export async function writeValues(thread: BenchThread, order: KeyOrder): Promise<void> {
  const { settings, flags, db, concurrent, writeOptions } = thread.run;
  const keyAt = order(thread);
  const limit = new WriteLimit(flags.number('benchmark_write_rate_limit'));
  const one = (at: number): Promise<void> | void => {
    const value = thread.values.next();
    thread.stats.bytes += settings.keySize + value.length;
    return thread.put(thread.keyOf(keyAt(at)), value);
  };
  const many = (at: number): Promise<void> | void => {
    const batch = new WriteBatch();
    for (let i = 0; i < settings.batchSize; i++) {
      const value = thread.values.next();
      thread.stats.bytes += settings.keySize + value.length;
      batch.put(thread.keyOf(keyAt(at + i)), value);
    }
    return concurrent ? db.write(batch, writeOptions) : db.writeSync(batch, writeOptions);
  };
  const step = settings.batchSize > 1 ? many : one;
  const limited = async (at: number): Promise<void> => {
    await limit.take((settings.keySize + settings.valueSize) * settings.batchSize);
    await step(at);
  };
  if (settings.writes !== flags.number('num')) thread.stats.message = `(${settings.writes} ops)`;
  await thread.repeat(settings.writes, 'write', limit.bounded ? limited : step, settings.batchSize);
}

/** A workload that fills. */
const fill = (name: string, help: string, order: KeyOrder, more: Partial<Workload> = {}): Workload => ({
  name,
  help,
  fresh: true,
  ...more,
  run: (thread) => writeValues(thread, order),
});

const thousandth = (value: number): number => Math.max(1, Math.floor(value / 1000));

/** All of them. */
export const FILLS: readonly Workload[] = [
  fill('fillseq', 'write N values in sequential key order', sequential),
  fill('fillrandom', 'write N values in random key order', random),
  fill('filluniquerandom', 'write N values in random key order, each key once', permuted),
  fill('fillbatch', 'write N values in sequential key order, 1000 a batch', sequential, {
    adjust: () => ({ batchSize: 1000 }),
  }),
  fill('fillsync', 'write N/1000 values in random key order, each synced', random, {
    adjust: ({ entries, writes }) => ({ entries: thousandth(entries), writes: thousandth(writes), sync: true }),
  }),
  fill('fill100K', 'write N/1000 values of 100,000 bytes in random key order', random, {
    adjust: ({ entries, writes }) => ({ entries: thousandth(entries), writes: thousandth(writes), valueSize: 100_000 }),
  }),
  fill('overwrite', 'overwrite N values in random key order', random, { fresh: false }),
];
