/**
 * Histograms with RocksDB's bucket limits, so that their percentiles can be compared with its own. The limits grow by half,
 * each rounded down to two significant digits.
 */

function bucketLimits(): Float64Array {
  const limits = [1, 2];
  // Only what is stored is rounded; the growth goes on from the exact value.
  for (let value = 3; value <= 2 ** 64; value *= 1.5) {
    // Two significant digits: 172 becomes 170.
    let scale = 1;
    let rounded = Math.floor(value);
    while (Math.floor(rounded / 10) > 10) {
      rounded = Math.floor(rounded / 10);
      scale *= 10;
    }
    limits.push(rounded * scale);
  }
  return Float64Array.from(limits);
}

const LIMITS = bucketLimits();

function bucketOf(value: number): number {
  let low = 0;
  let high = LIMITS.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (LIMITS[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A reading of a histogram. */
export interface HistogramData {
  count: number;
  sum: number;
  min: number;
  max: number;
  average: number;
  standardDeviation: number;
  median: number;
  percentile95: number;
  percentile99: number;
}

/** Counts values in buckets; a record costs a binary search over about a hundred limits. */
export class Histogram {
  readonly #buckets = new Float64Array(LIMITS.length);
  #count = 0;
  #sum = 0;
  #sumOfSquares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** Counts one value, at least 0. */
  add(value: number): void {
    const bucket = bucketOf(value);
    this.#buckets[bucket] = this.#buckets[bucket]! + 1;
    this.#count++;
    this.#sum += value;
    this.#sumOfSquares += value * value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** Adds what `other` counted. */
  merge(other: Histogram): void {
    for (let i = 0; i < LIMITS.length; i++) this.#buckets[i] = this.#buckets[i]! + other.#buckets[i]!;
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#sumOfSquares += other.#sumOfSquares;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /** The value below which `p` percent of the records lie, interpolated inside its bucket. */
  percentile(p: number): number {
    const threshold = this.#count * (p / 100);
    let cumulative = 0;
    for (let i = 0; i < LIMITS.length; i++) {
      const inBucket = this.#buckets[i]!;
      cumulative += inBucket;
      if (cumulative < threshold || inBucket === 0) continue;
      const left = i === 0 ? 0 : LIMITS[i - 1]!;
      const right = LIMITS[i]!;
      const position = (threshold - (cumulative - inBucket)) / inBucket;
      return Math.min(this.#max, Math.max(this.#min, left + (right - left) * position));
    }
    return this.#count === 0 ? 0 : this.#max;
  }

  /** Everything at once. */
  data(): HistogramData {
    const n = this.#count;
    const average = n === 0 ? 0 : this.#sum / n;
    const variance = n === 0 ? 0 : Math.max(0, this.#sumOfSquares / n - average * average);
    return {
      count: n,
      sum: this.#sum,
      min: n === 0 ? 0 : this.#min,
      max: this.#max,
      average,
      standardDeviation: Math.sqrt(variance),
      median: this.percentile(50),
      percentile95: this.percentile(95),
      percentile99: this.percentile(99),
    };
  }

  /** The buckets that hold something: values above `left` (from 0 on: at least) up to `right`. */
  buckets(): { left: number; right: number; count: number }[] {
    const filled: { left: number; right: number; count: number }[] = [];
    for (let i = 0; i < LIMITS.length; i++) {
      const count = this.#buckets[i]!;
      if (count > 0) filled.push({ left: i === 0 ? 0 : LIMITS[i - 1]!, right: LIMITS[i]!, count });
    }
    return filled;
  }

  /** Forgets everything. */
  reset(): void {
    this.#buckets.fill(0);
    this.#count = this.#sum = this.#sumOfSquares = this.#max = 0;
    this.#min = Number.POSITIVE_INFINITY;
  }
}
