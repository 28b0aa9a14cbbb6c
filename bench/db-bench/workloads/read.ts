/** Workloads that read single keys: at random, missing, hot, many at once. */
import type { BenchThread } from '../bench-run.ts';
import type { Workload } from '../workload.ts';

/** Reads `settings.reads` keys; `keyAt` gives each. Returns how many were there. */
export async function readKeys(thread: BenchThread, keyAt: (at: number) => Uint8Array): Promise<number> {
  const { settings } = thread.run;
  let found = 0;
  const count = (value: Uint8Array | undefined): void => {
    if (value === undefined) return;
    found++;
    thread.stats.bytes += settings.keySize + value.length;
  };
  const step = thread.run.concurrent
    ? async (at: number): Promise<void> => count(await thread.get(keyAt(at)))
    : (at: number): void => count(thread.get(keyAt(at)) as Uint8Array | undefined);
  let done = 0;
  await thread.repeat(settings.reads, 'read', (at) => {
    done = at + 1;
    return step(at);
  });
  thread.stats.message = `(${found} of ${done} found)\n`;
  return found;
}

const reader = (name: string, help: string, keys: (thread: BenchThread) => (at: number) => Uint8Array): Workload => ({
  name,
  help,
  run: async (thread) => {
    await readKeys(thread, keys(thread));
  },
});

/** Random keys of the database. */
export function randomKeys(thread: BenchThread): () => Uint8Array {
  return () => thread.keyOf(thread.below(thread.run.settings.entries));
}

/** Keys that lie between those of the database. */
function missingKeys(thread: BenchThread): () => Uint8Array {
  const { entries, keySize } = thread.run.settings;
  const key = new Uint8Array(keySize + 1);
  key[keySize] = 0x2e;
  return () => {
    key.set(thread.keyOf(thread.below(entries)));
    return key;
  };
}

/** The first hundredth of the keys. */
function hotKeys(thread: BenchThread): () => Uint8Array {
  const range = Math.floor((thread.run.settings.entries + 99) / 100);
  return () => thread.keyOf(thread.below(range));
}

async function multiRead(thread: BenchThread): Promise<void> {
  const { db, settings, concurrent, readOptions } = thread.run;
  const { entries, batchSize, keySize } = settings;
  let found = 0;
  const count = (values: readonly (Uint8Array | undefined)[]): void => {
    for (const value of values) {
      if (value === undefined) continue;
      found++;
      thread.stats.bytes += keySize + value.length;
    }
  };
  let done = 0;
  const step = (at: number): Promise<void> | void => {
    done = at + batchSize;
    const keys = Array.from({ length: batchSize }, () => thread.keyOf(thread.below(entries)).slice());
    if (concurrent) return db.multiGet(keys, readOptions).then(count);
    count(db.multiGetSync(keys, readOptions));
  };
  await thread.repeat(settings.reads, 'read', step, batchSize);
  thread.stats.message = `(${found} of ${done} found)`;
}

/** All of them. */
export const READS: readonly Workload[] = [
  reader('readrandom', 'read N times in random order', randomKeys),
  reader('readmissing', 'read N missing keys in random order', missingKeys),
  reader('readhot', 'read N times in random order from the first hundredth of the keys', hotKeys),
  { name: 'multireadrandom', help: 'read N random keys, batch_size at once', run: multiRead },
];
