/** A histogram as RocksDB's `Histogram::ToString` prints it. */
import type { Histogram } from '../../src/monitoring/histogram.ts';

const RULE = '------------------------------------------------------';
/** Percent that one mark of a bar stands for. */
const BAR_PERCENT = 5;

/** Percentiles that are printed, in order. */
export const PERCENTILES = [50, 75, 99, 99.9, 99.99] as const;

/** Count, spread and percentiles, then a line for each bucket that holds something. */
export function histogramText(histogram: Histogram): string {
  const { count, average, standardDeviation, min, median, max } = histogram.data();
  const percentiles = PERCENTILES.map((p) => `P${p}: ${histogram.percentile(p).toFixed(2)}`);
  const lines = [
    `Count: ${count} Average: ${average.toFixed(4)}  StdDev: ${standardDeviation.toFixed(2)}`,
    `Min: ${Math.floor(min)}  Median: ${median.toFixed(4)}  Max: ${Math.floor(max)}`,
    `Percentiles: ${percentiles.join(' ')}`,
    RULE,
  ];
  let cumulative = 0;
  for (const { left, right, count: inBucket } of histogram.buckets()) {
    cumulative += inBucket;
    const percent = (100 * inBucket) / count;
    const range = `${left === 0 ? '[' : '('} ${String(left).padStart(7)}, ${String(right).padStart(7)} ]`;
    const share = `${percent.toFixed(3).padStart(7)}% ${((100 * cumulative) / count).toFixed(3).padStart(7)}%`;
    lines.push(
      `${range} ${String(inBucket).padStart(8)} ${share} ${'#'.repeat(Math.floor(percent / BAR_PERCENT + 0.5))}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
