/** Workloads that read and write the same keys: read-modify-write, merges, and mixtures. */
import type { BenchThread } from '../bench-run.ts';
import type { OperationKind } from '../bench-stats.ts';
import type { Workload } from '../workload.ts';

/** Reads a random key and writes it anew. */
async function updateRandom(thread: BenchThread): Promise<void> {
  const { settings } = thread.run;
  let found = 0;
  let updates = 0;
  await thread.repeat(settings.reads, 'update', async () => {
    const number = thread.below(settings.entries);
    const old = await thread.get(thread.keyOf(number));
    if (old !== undefined) {
      found++;
      thread.stats.bytes += settings.keySize + old.length;
    }
    const value = thread.values.next();
    await thread.put(thread.keyOf(number), value);
    thread.stats.bytes += settings.keySize + value.length;
    updates++;
  });
  thread.stats.message = `( updates:${updates} found:${found})`;
}

function mergeKeyRange(thread: BenchThread): number {
  const given = thread.run.flags.number('merge_keys');
  return given < 0 ? thread.run.settings.entries : given;
}

async function mergeRandom(thread: BenchThread): Promise<void> {
  const { settings } = thread.run;
  const range = mergeKeyRange(thread);
  let updates = 0;
  await thread.repeat(settings.writes, 'merge', () => {
    const operand = thread.values.next();
    thread.stats.bytes += settings.keySize + operand.length;
    updates++;
    return thread.merge(thread.keyOf(thread.below(range)), operand);
  });
  thread.stats.message = `( updates:${updates})`;
}

/** Reads and writes random keys; of a hundred operations, `readwritepercent` are reads. */
async function readAndWrite(thread: BenchThread): Promise<void> {
  const { settings, flags } = thread.run;
  const percent = flags.number('readwritepercent');
  let reads = 0;
  let writes = 0;
  let found = 0;
  let kind: OperationKind = 'read';
  await thread.repeat(
    settings.reads,
    () => kind,
    async (at) => {
      const key = thread.keyOf(thread.below(settings.entries));
      if (at % 100 < percent) {
        kind = 'read';
        reads++;
        if ((await thread.get(key)) !== undefined) found++;
      } else {
        kind = 'write';
        writes++;
        await thread.put(key, thread.values.next());
      }
    },
  );
  thread.stats.message = `( reads:${reads} writes:${writes} total:${reads + writes} found:${found})`;
}

async function readAndMerge(thread: BenchThread): Promise<void> {
  const { settings, flags } = thread.run;
  const range = mergeKeyRange(thread);
  const percent = flags.number('mergereadpercent');
  let reads = 0;
  let merges = 0;
  let hits = 0;
  let longest = 0;
  let kind: OperationKind = 'read';
  await thread.repeat(
    settings.reads,
    () => kind,
    async () => {
      const key = thread.keyOf(thread.below(range));
      if (thread.random.below(100) < percent) {
        kind = 'merge';
        merges++;
        await thread.merge(key, thread.values.next());
        return;
      }
      kind = 'read';
      reads++;
      const value = await thread.get(key);
      if (value === undefined) return;
      hits++;
      longest = Math.max(longest, value.length);
    },
  );
  thread.stats.message = `(reads:${reads} merges:${merges} total:${reads + merges} hits:${hits} maxlength:${longest})`;
}

/** All of them. */
export const UPDATES: readonly Workload[] = [
  { name: 'updaterandom', help: 'read and write N random keys', run: updateRandom },
  { name: 'readrandomwriterandom', help: 'N random operations, readwritepercent of them reads', run: readAndWrite },
  { name: 'mergerandom', help: 'merge into N random keys; needs merge_operator', merges: true, run: mergeRandom },
  {
    name: 'readrandommergerandom',
    help: 'N random operations, mergereadpercent of them merges; needs merge_operator',
    merges: true,
    run: readAndMerge,
  },
];
