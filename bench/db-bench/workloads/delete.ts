/** Workloads that delete keys. */
import { WriteBatch } from '../../../src/index.ts';
import type { BenchThread } from '../bench-run.ts';
import type { Workload } from '../workload.ts';

async function deleteKeys(thread: BenchThread, keyAt: (at: number) => number): Promise<void> {
  const { db, settings, concurrent, writeOptions } = thread.run;
  const step = (at: number): Promise<void> | void => {
    const batch = new WriteBatch();
    for (let i = 0; i < settings.batchSize; i++) batch.delete(thread.keyOf(keyAt(at + i)));
    return concurrent ? db.write(batch, writeOptions) : db.writeSync(batch, writeOptions);
  };
  await thread.repeat(settings.writes, 'delete', step, settings.batchSize);
}

/** All of them. */
export const DELETES: readonly Workload[] = [
  { name: 'deleteseq', help: 'delete N keys in sequential order', run: (thread) => deleteKeys(thread, (at) => at) },
  {
    name: 'deleterandom',
    help: 'delete N keys in random order',
    run: (thread) => deleteKeys(thread, () => thread.below(thread.run.settings.entries)),
  },
];
