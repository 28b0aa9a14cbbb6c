/** Counters (tickers) and histograms, under RocksDB's names. Costs nothing where no `statistics` option is given. */
import { invalidArgument } from '../../format/base/db-error.ts';
import { Histogram, type HistogramData } from './histogram.ts';

/** The tickers that Pumice counts; names are RocksDB's, with its spelling (`errro`). */
export const TICKERS = [
  'rocksdb.block.cache.miss',
  'rocksdb.block.cache.hit',
  'rocksdb.block.cache.add',
  'rocksdb.block.cachecompressed.hit',
  'rocksdb.block.cachecompressed.miss',
  'rocksdb.block.cachecompressed.add',
  'rocksdb.bloom.filter.useful',
  'rocksdb.bloom.filter.full.positive',
  'rocksdb.bloom.filter.full.true.positive',
  'rocksdb.bloom.filter.prefix.checked',
  'rocksdb.bloom.filter.prefix.useful',
  'rocksdb.memtable.hit',
  'rocksdb.memtable.miss',
  'rocksdb.l0.hit',
  'rocksdb.l1.hit',
  'rocksdb.l2andup.hit',
  'rocksdb.compaction.key.drop.new',
  'rocksdb.compaction.key.drop.obsolete',
  'rocksdb.compaction.key.drop.range_del',
  'rocksdb.compaction.key.drop.user',
  'rocksdb.compaction.cancelled',
  'rocksdb.number.keys.written',
  'rocksdb.number.keys.read',
  'rocksdb.bytes.written',
  'rocksdb.bytes.read',
  'rocksdb.number.db.seek',
  'rocksdb.number.db.next',
  'rocksdb.number.db.prev',
  'rocksdb.number.db.seek.found',
  'rocksdb.number.db.next.found',
  'rocksdb.number.db.prev.found',
  'rocksdb.db.iter.bytes.read',
  'rocksdb.num.iterator.created',
  'rocksdb.num.iterator.deleted',
  'rocksdb.number.multiget.get',
  'rocksdb.number.multiget.keys.read',
  'rocksdb.number.multiget.keys.found',
  'rocksdb.number.multiget.bytes.read',
  'rocksdb.no.file.opens',
  'rocksdb.no.file.errors',
  'rocksdb.stall.micros',
  'rocksdb.wal.synced',
  'rocksdb.wal.bytes',
  'rocksdb.write.self',
  'rocksdb.write.other',
  'rocksdb.write.wal',
  'rocksdb.flush.write.bytes',
  'rocksdb.compact.read.bytes',
  'rocksdb.compact.write.bytes',
  'rocksdb.compact.read.marked.bytes',
  'rocksdb.compact.read.ttl.bytes',
  'rocksdb.compact.write.marked.bytes',
  'rocksdb.compact.write.ttl.bytes',
  'rocksdb.compaction.trivial.move',
  'rocksdb.manifest.synced',
  'rocksdb.getupdatessince.calls',
  'rocksdb.number.merge.failures',
  'rocksdb.files.deleted.immediately',
  'rocksdb.error.handler.bg.errro.count',
  'rocksdb.error.handler.bg.io.errro.count',
] as const;

/**
 * The histograms that Pumice keeps; times are in microseconds. Reads of tables are timed on the opening thread, so those
 * of compactions in workers are not among `rocksdb.sst.read.micros`. Only compactions that were divided count as scheduled.
 */
export const HISTOGRAMS = [
  'rocksdb.db.get.micros',
  'rocksdb.db.write.micros',
  'rocksdb.compaction.times.micros',
  'rocksdb.table.sync.micros',
  'rocksdb.compaction.outfile.sync.micros',
  'rocksdb.wal.file.sync.micros',
  'rocksdb.manifest.file.sync.micros',
  'rocksdb.table.open.io.micros',
  'rocksdb.db.multiget.micros',
  'rocksdb.numfiles.in.singlecompaction',
  'rocksdb.db.seek.micros',
  'rocksdb.db.write.stall',
  'rocksdb.sst.read.micros',
  'rocksdb.num.subcompactions.scheduled',
  'rocksdb.bytes.per.read',
  'rocksdb.bytes.per.write',
  'rocksdb.bytes.per.multiget',
  'rocksdb.read.num.merge_operands',
  'rocksdb.db.flush.micros',
] as const;

/** Name of a ticker. */
export type TickerName = (typeof TICKERS)[number];
/** Name of a histogram. */
export type HistogramName = (typeof HISTOGRAMS)[number];

/** Counts that are kept elsewhere, read when somebody asks: what each ticker stands at since the source began. */
export type TickerSource = () => Partial<Record<TickerName, number>>;

/** Collects what one or more databases do. */
export class Statistics {
  /** Sources, with what they stood at when they were added or last reset. */
  readonly #sources = new Map<TickerSource, Partial<Record<TickerName, number>>>();
  readonly #tickers = new Map<string, number>(TICKERS.map((name) => [name, 0]));
  readonly #histograms = new Map<string, Histogram>(HISTOGRAMS.map((name) => [name, new Histogram()]));

  /** Adds to a ticker; for the engine. */
  count(name: TickerName, by = 1): void {
    this.#tickers.set(name, this.#tickers.get(name)! + by);
  }

  /** Records a value, rounded as RocksDB has them; for the engine. */
  record(name: HistogramName, value: number): void {
    this.#histograms.get(name)!.add(Math.round(value));
  }

  /** Takes in what `source` counts from now on; for the engine. */
  addSource(source: TickerSource): void {
    this.#sources.set(source, source());
  }

  /** Reads a source a last time and keeps what it counted; for the engine. */
  removeSource(source: TickerSource): void {
    const base = this.#sources.get(source);
    if (base === undefined) return;
    this.#sources.delete(source);
    for (const [name, count] of Object.entries(source())) {
      this.count(name as TickerName, count - (base[name as TickerName] ?? 0));
    }
  }

  /** The count so far. `INVALID_ARGUMENT` for a name that is not kept. */
  getTickerCount(name: string): number {
    let count = this.#tickers.get(name);
    if (count === undefined) throw invalidArgument(`statistics: no ticker is named "${name}"`);
    for (const [source, base] of this.#sources) {
      count += (source()[name as TickerName] ?? 0) - (base[name as TickerName] ?? 0);
    }
    return count;
  }

  /** A reading of a histogram. `INVALID_ARGUMENT` for a name that is not kept. */
  getHistogram(name: string): HistogramData {
    const histogram = this.#histograms.get(name);
    if (histogram === undefined) throw invalidArgument(`statistics: no histogram is named "${name}"`);
    return histogram.data();
  }

  /** Sets everything to zero. */
  reset(): void {
    for (const name of this.#tickers.keys()) this.#tickers.set(name, 0);
    for (const source of this.#sources.keys()) this.#sources.set(source, source());
    for (const histogram of this.#histograms.values()) histogram.reset();
  }

  /** One line a ticker and a histogram, as RocksDB prints them. */
  toString(): string {
    const lines = [...this.#tickers.keys()].map((name) => `${name} COUNT : ${this.getTickerCount(name)}`);
    for (const [name, histogram] of this.#histograms) {
      const d = histogram.data();
      const [p50, p95, p99] = [d.median, d.percentile95, d.percentile99].map((v) => v.toFixed(6));
      lines.push(
        `${name} P50 : ${p50} P95 : ${p95} P99 : ${p99} P100 : ${d.max.toFixed(6)} COUNT : ${d.count} SUM : ${d.sum}`,
      );
    }
    return `${lines.join('\n')}\n`;
  }
}
