/** What iterators count, for databases with `statistics`: positionings and their time, steps, and bytes shown. */
import { TimedStatistics } from '../monitoring/timed-statistics.ts';

/** The counts of one database's iterators. */
export class IteratorStatistics extends TimedStatistics {
  /** A positioning that began at `startMicros` ended; `bytes` of the entry that it found, `undefined` when there is none. */
  sought(startMicros: number, bytes: number | undefined): void {
    this.recordSince('rocksdb.db.seek.micros', startMicros);
    this.statistics.count('rocksdb.number.db.seek');
    if (bytes === undefined) return;
    this.statistics.count('rocksdb.number.db.seek.found');
    this.statistics.count('rocksdb.db.iter.bytes.read', bytes);
  }

  /** `steps` moves of which `found` came to an entry, `bytes` in sum. */
  moved(forward: boolean, steps: number, found: number, bytes: number): void {
    const name = forward ? 'rocksdb.number.db.next' : 'rocksdb.number.db.prev';
    this.statistics.count(name, steps);
    this.statistics.count(`${name}.found`, found);
    this.statistics.count('rocksdb.db.iter.bytes.read', bytes);
  }

  /** An iterator was made. */
  created(): void {
    this.statistics.count('rocksdb.num.iterator.created');
  }

  /** An iterator was closed. */
  deleted(): void {
    this.statistics.count('rocksdb.num.iterator.deleted');
  }
}
