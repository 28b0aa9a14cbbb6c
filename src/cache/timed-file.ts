/** A table's file whose reads are timed, for databases with `statistics`; others read the file itself. */
import { WrappedFile } from '../../format/base/wrapped-file.ts';
import type { Clock } from '../env/clock.ts';
import type { RandomAccessFile } from '../env/file-system.ts';
import type { Statistics } from '../monitoring/statistics.ts';

/** Records every read that succeeds as `rocksdb.sst.read.micros`. */
export class TimedFile extends WrappedFile {
  readonly direct: boolean;
  readonly #statistics: Statistics;
  readonly #clock: Clock;

  constructor(file: RandomAccessFile, statistics: Statistics, clock: Clock) {
    super(file);
    this.#statistics = statistics;
    this.#clock = clock;
    this.direct = file.direct === true;
  }

  async read(buffer: Uint8Array, offset: number): Promise<number> {
    const startMicros = this.#clock.monotonicMicros();
    const count = await this.file.read(buffer, offset);
    this.#record(startMicros);
    return count;
  }

  readSync(buffer: Uint8Array, offset: number): number {
    const startMicros = this.#clock.monotonicMicros();
    const count = this.file.readSync(buffer, offset);
    this.#record(startMicros);
    return count;
  }

  #record(startMicros: number): void {
    this.#statistics.record('rocksdb.sst.read.micros', this.#clock.monotonicMicros() - startMicros);
  }
}
