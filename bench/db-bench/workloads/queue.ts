/**
 * A producer and a consumer: every element is put at the end and removed from the front soon after. Elements are put once
 * and removed by singleDelete, so both vanish in the flush and hardly anything reaches a table.
 */
import { WriteBatch } from '../../../src/index.ts';
import type { BenchThread } from '../bench-run.ts';
import type { Workload } from '../workload.ts';

async function produceAndConsume(thread: BenchThread): Promise<void> {
  const { db, settings, flags, concurrent, writeOptions } = thread.run;
  const length = flags.number('queue_length');
  const own = (at: number): number => at * settings.threads + thread.index;
  let put = 0;
  const step = (at: number): Promise<void> | void => {
    const batch = new WriteBatch();
    const value = thread.values.next();
    batch.put(thread.keyOf(own(at)), value);
    put += settings.keySize + value.length;
    if (at >= length) batch.singleDelete(thread.keyOf(own(at - length)));
    return concurrent ? db.write(batch, writeOptions) : db.writeSync(batch, writeOptions);
  };
  await thread.repeat(settings.writes, 'write', step);
  thread.stats.bytes += put;
  if (thread.index > 0) return;
  await db.flush();
  const flushed = db.statistics?.getTickerCount('rocksdb.flush.write.bytes');
  if (flushed === undefined) return;
  const total = put * settings.threads;
  thread.stats.message = `(flushed ${flushed} of ${total} bytes put, ${((100 * flushed) / total).toFixed(2)}%)`;
}

/** The workload. */
export const QUEUE: Workload = {
  name: 'queue',
  help: 'put and remove N elements of a queue; --statistics shows the bytes that reach tables',
  fresh: true,
  run: produceAndConsume,
};
