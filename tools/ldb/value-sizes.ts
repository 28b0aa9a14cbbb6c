/** The distribution of value sizes, in RocksDB's buckets and its layout. */
import { Histogram, type HistogramData } from '../../src/monitoring/histogram.ts';

const BAR_PERCENT = 5;
/** Enough to tell a half from what is near it. */
const MORE_DECIMALS = 40;

/** The number with so many decimals, exact halves rounded to the even digit as C's printf does. */
function fixed(value: number, decimals: number): string {
  const exact = value.toFixed(decimals + MORE_DECIMALS);
  const cut = exact.slice(0, -MORE_DECIMALS);
  const isHalf = /^50*$/.test(exact.slice(-MORE_DECIMALS));
  return isHalf && Number(cut.at(-1)) % 2 === 0 ? cut : value.toFixed(decimals);
}

/** Collects sizes and lays them out. */
export class ValueSizes {
  readonly #histogram = new Histogram();

  add(size: number): void {
    this.#histogram.add(size);
  }

  data(): HistogramData {
    return this.#histogram.data();
  }

  /** Count, average and percentiles, then a line for each bucket that is not empty. */
  text(): string {
    const { count, average, standardDeviation, min, median, max } = this.#histogram.data();
    const at = (p: number): string => fixed(this.#histogram.percentile(p), 2);
    const lines = [
      `Count: ${count} Average: ${fixed(average, 4)}  StdDev: ${fixed(standardDeviation, 2)}`,
      `Min: ${min}  Median: ${fixed(median, 4)}  Max: ${max}`,
      `Percentiles: P50: ${at(50)} P75: ${at(75)} P99: ${at(99)} P99.9: ${at(99.9)} P99.99: ${at(99.99)}`,
      '------------------------------------------------------',
    ];
    let cumulative = 0;
    for (const bucket of this.#histogram.buckets()) {
      cumulative += bucket.count;
      lines.push(bucketLine(bucket, cumulative, count));
    }
    return `${lines.join('\n')}\n`;
  }
}

function bucketLine(bucket: { left: number; right: number; count: number }, cumulative: number, total: number): string {
  const percent = (100 * bucket.count) / total;
  const bar = '#'.repeat(Math.floor(percent / BAR_PERCENT + 0.5));
  return (
    `${bucket.left === 0 ? '[' : '('} ${String(bucket.left).padStart(7)}, ${String(bucket.right).padStart(7)} ] ` +
    `${String(bucket.count).padStart(8)} ${fixed(percent, 3).padStart(7)}% ` +
    `${fixed((100 * cumulative) / total, 3).padStart(7)}% ${bar}`
  );
}
