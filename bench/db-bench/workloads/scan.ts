/** Workloads with iterators: from end to end, and seeks. */
import type { DBIterator } from '../../../src/index.ts';
import type { BenchThread } from '../bench-run.ts';
import type { Workload } from '../workload.ts';

/** Reads entries one by one from the first, or from the last. */
async function scan(thread: BenchThread, reverse: boolean): Promise<void> {
  const { db, settings, readOptions } = thread.run;
  using cursor = db.newIterator(readOptions);
  if (reverse) await cursor.seekToLast();
  else await cursor.seekToFirst();
  for (let at = 0; at < settings.reads && cursor.valid; at++) {
    thread.stats.bytes += cursor.key.length + cursor.value.length;
    if (reverse) cursor.prevSync();
    else cursor.nextSync();
    const turn = thread.finished(1, 'read');
    if (turn !== undefined) await turn;
  }
  const error = cursor.status();
  if (error !== undefined) throw error;
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Moves on `count` times and takes in the entries. */
function readOn(thread: BenchThread, cursor: DBIterator, count: number): void {
  const reverse = thread.run.flags.boolean('reverse_iterator');
  for (let i = 0; i < count && cursor.valid; i++) {
    thread.stats.bytes += cursor.key.length + cursor.value.length;
    if (reverse) cursor.prevSync();
    else cursor.nextSync();
  }
}

/** Seeks to random keys with a new iterator each, and reads `seek_nexts` entries from there. */
export async function seekKeys(thread: BenchThread): Promise<void> {
  const { db, settings, flags, readOptions, concurrent } = thread.run;
  const nexts = flags.number('seek_nexts');
  let found = 0;
  let done = 0;
  const step = async (): Promise<void> => {
    using cursor = db.newIterator(readOptions);
    const key = thread.keyOf(thread.below(settings.entries));
    if (concurrent) await cursor.seek(key);
    else cursor.seekSync(key);
    done++;
    if (cursor.valid && sameKey(cursor.key, key)) found++;
    readOn(thread, cursor, nexts);
  };
  await thread.repeat(settings.reads, 'seek', step);
  thread.stats.message = `(${found} of ${done} found)\n`;
}

async function newIterators(thread: BenchThread): Promise<void> {
  const { db, settings, readOptions } = thread.run;
  await thread.repeat(settings.reads, 'op', () => db.newIterator(readOptions).close());
}

/** All of them. */
export const SCANS: readonly Workload[] = [
  { name: 'readseq', help: 'read N entries in order', run: (thread) => scan(thread, false) },
  { name: 'readreverse', help: 'read N entries in reverse order', run: (thread) => scan(thread, true) },
  { name: 'seekrandom', help: 'N random seeks, seek_nexts entries read at each', run: seekKeys },
  { name: 'newiterator', help: 'make N iterators', run: newIterators },
];
