/** Workloads whose loops read while one more loop writes; the writer is not in the figures. */
import type { BenchThread } from '../bench-run.ts';
import type { Workload } from '../workload.ts';
import { WriteLimit } from '../write-limit.ts';
import { randomKeys, readKeys } from './read.ts';
import { seekKeys } from './scan.ts';

/** Writes random keys until the readers are done. */
async function disturb(thread: BenchThread, merges: boolean): Promise<void> {
  const { run, stats } = thread;
  const { settings, flags } = run;
  stats.excluded = true;
  const limit = new WriteLimit(
    flags.number('benchmark_write_rate_limit') ||
      flags.number('writes_per_second') * (settings.keySize + settings.valueSize),
  );
  const bounded = flags.boolean('finish_after_writes');
  for (let writes = 0; !run.stopped && !(bounded && writes >= settings.writes); writes++) {
    const key = thread.keyOf(thread.below(settings.entries));
    const value = thread.values.next();
    await (merges ? thread.merge(key, value) : thread.put(key, value));
    await limit.take(settings.keySize + value.length);
    if (writes % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (bounded) run.stopped = true;
}

function disturbed(
  name: string,
  help: string,
  merges: boolean,
  read: (thread: BenchThread) => Promise<unknown>,
): Workload {
  return {
    name,
    help,
    merges,
    adjust: ({ threads }) => ({ threads: threads + 1 }),
    run: async (thread) => {
      const { run, index } = thread;
      if (index === run.settings.threads - 1) return disturb(thread, merges);
      await read(thread);
      if (--run.readersLeft === 0) run.stopped = true;
    },
  };
}

const readRandom = (thread: BenchThread): Promise<unknown> => readKeys(thread, randomKeys(thread));

/** All of them. */
export const WHILE_WRITING: readonly Workload[] = [
  disturbed('readwhilewriting', '1 writer, N loops of random reads', false, readRandom),
  disturbed('readwhilemerging', '1 merger, N loops of random reads', true, readRandom),
  disturbed('seekrandomwhilewriting', '1 writer, N loops of random seeks', false, seekKeys),
];
