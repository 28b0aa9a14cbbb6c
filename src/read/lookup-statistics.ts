/** What point reads count, for databases with `statistics`. */
import { TimedStatistics } from '../monitoring/timed-statistics.ts';
import { LookupStatus, type PointLookup } from './point-lookup.ts';

/** In place of a lookup's start: it is part of a `multiGet`, which is counted as a whole. */
export const IN_MULTI_GET = -1;

/** The counts of one database's point reads. */
export class LookupStatistics extends TimedStatistics {
  /** A lookup came to its end. */
  got(lookup: PointLookup, status: number): void {
    const { statistics } = this;
    const { level, operandCount, startMicros } = lookup;
    const found = status === LookupStatus.found;
    statistics.count(level < 0 ? 'rocksdb.memtable.hit' : 'rocksdb.memtable.miss');
    if (found && level >= 0) statistics.count(HIT_TICKERS[Math.min(level, 2)]!);
    if (operandCount > 0) statistics.record('rocksdb.read.num.merge_operands', operandCount);
    if (startMicros === IN_MULTI_GET) return;
    statistics.count('rocksdb.number.keys.read');
    this.recordSince('rocksdb.db.get.micros', startMicros);
    if (!found) return;
    statistics.count('rocksdb.bytes.read', lookup.value!.length);
    statistics.record('rocksdb.bytes.per.read', lookup.value!.length);
  }

  /** A `multiGet` that began at `startMicros` came to its end. */
  gotMany(startMicros: number, values: readonly (Uint8Array | undefined)[]): void {
    const { statistics } = this;
    let found = 0;
    let bytes = 0;
    for (const value of values) {
      if (value === undefined) continue;
      found++;
      bytes += value.length;
    }
    statistics.count('rocksdb.number.multiget.get');
    statistics.count('rocksdb.number.multiget.keys.read', values.length);
    statistics.count('rocksdb.number.multiget.keys.found', found);
    statistics.count('rocksdb.number.multiget.bytes.read', bytes);
    statistics.record('rocksdb.bytes.per.multiget', bytes);
    this.recordSince('rocksdb.db.multiget.micros', startMicros);
  }
}

const HIT_TICKERS = ['rocksdb.l0.hit', 'rocksdb.l1.hit', 'rocksdb.l2andup.hit'] as const;
