/** Hit ratios of traces at several capacities, measured and as a table for people. */
import { blocksOf, cacheHits, optimumHits } from './simulate.ts';

/** One trace at one capacity; ratios are hits for each access. */
export interface HitRatios {
  trace: string;
  /** Blocks that the cache has room for. */
  capacityBlocks: number;
  lru: number;
  s4lru: number;
  /** Belady's: what a cache that knows the future would reach. */
  optimum: number;
}

/** Capacities as percent of the trace's different blocks. */
const CAPACITY_PERCENT = [1, 2, 5, 10, 20, 50] as const;

/** Measures a trace at each capacity, ascending. */
export function measureTrace(name: string, trace: Float64Array): HitRatios[] {
  const blocks = blocksOf(trace);
  const capacities = new Set(CAPACITY_PERCENT.map((percent) => Math.max(1, Math.round((blocks * percent) / 100))));
  return [...capacities].map((capacityBlocks) => ({
    trace: name,
    capacityBlocks,
    lru: cacheHits(trace, 'lru', capacityBlocks) / trace.length,
    s4lru: cacheHits(trace, 's4lru', capacityBlocks) / trace.length,
    optimum: optimumHits(trace, capacityBlocks) / trace.length,
  }));
}

/** One line a measurement, in Markdown, ratios in percent. */
export function ratiosTable(measured: readonly HitRatios[]): string {
  const percent = (ratio: number): string => (ratio * 100).toFixed(1).padStart(7);
  const lines = measured.map(
    ({ trace, capacityBlocks, lru, s4lru, optimum }) =>
      `| ${trace.padEnd(9)} | ${String(capacityBlocks).padStart(15)} | ${[lru, s4lru, optimum].map(percent).join(' | ')} |`,
  );
  return [
    '| trace     | capacity blocks |   lru % | s4lru % | optimum |',
    '| --------- | --------------: | ------: | ------: | ------: |',
    ...lines,
  ].join('\n');
}
