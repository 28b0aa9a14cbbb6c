/** A table's file whose reads are timed, for databases with `statistics`; others read the file itself. */
import { WrappedFile } from '../../format/base/wrapped-file.ts';
import type { RandomAccessFile } from '../env/file-system.ts';
import type { TimedStatistics } from '../monitoring/timed-statistics.ts';

/** Records every read that succeeds as `rocksdb.sst.read.micros`. */
export class TimedFile extends WrappedFile {
  readonly direct: boolean;
  readonly #statistics: TimedStatistics;

  constructor(file: RandomAccessFile, statistics: TimedStatistics) {
    super(file);
    this.#statistics = statistics;
    this.direct = file.direct === true;
  }

  async read(buffer: Uint8Array, offset: number): Promise<number> {
    const startMicros = this.#statistics.now();
    const count = await this.file.read(buffer, offset);
    this.#statistics.recordSince('rocksdb.sst.read.micros', startMicros);
    return count;
  }

  readSync(buffer: Uint8Array, offset: number): number {
    const startMicros = this.#statistics.now();
    const count = this.file.readSync(buffer, offset);
    this.#statistics.recordSince('rocksdb.sst.read.micros', startMicros);
    return count;
  }
}
