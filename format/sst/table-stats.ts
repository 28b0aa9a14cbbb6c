/** Counting what lookups meet, in counters that lie in kernel memory because the kernel counts there, too. */
import { getKernel } from '../kernel/kernel.ts';

/** Adds one to a counter (`TableStatsField`) of the set at `stats`; 0: nobody counts. */
export function countTableStat(stats: number, field: number): void {
  if (stats === 0) return;
  const { f64 } = getKernel();
  f64[(stats + field) >>> 3] = f64[(stats + field) >>> 3]! + 1;
}
