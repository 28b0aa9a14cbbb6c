/** `compact`: the whole database, measured as one operation. */
import type { Workload } from '../workload.ts';

/** The workload. */
export const COMPACT: Workload = {
  name: 'compact',
  help: 'compact the whole database',
  adjust: () => ({ threads: 1 }),
  run: async (thread) => {
    await thread.run.db.compactRange();
    thread.stats.finished(1, 'op');
  },
};
