/** What flushes and compactions of one column family have done since it was opened, by the level that they wrote to. */
import type { CompactionEvent, FlushEvent, StallCondition } from './event-listener.ts';

/** Work whose output went to one level. Bytes, microseconds and entries. */
export interface LevelWork {
  jobs: number;
  micros: number;
  /** Read from levels above this one. */
  readAbove: number;
  /** Read from this level itself. */
  readHere: number;
  written: number;
  /** Taken over by a change in the MANIFEST alone. */
  moved: number;
  keysIn: number;
  keysDropped: number;
}

/** A record of zeros. */
export function noWork(): LevelWork {
  return { jobs: 0, micros: 0, readAbove: 0, readHere: 0, written: 0, moved: 0, keysIn: 0, keysDropped: 0 };
}

/** Adds `work` to `sum`. */
export function addWork(sum: LevelWork, work: LevelWork): void {
  for (const field of Object.keys(sum) as (keyof LevelWork)[]) sum[field] += work[field];
}

/** One family's sums. */
export class FamilyWork {
  /** By level; levels that nothing was written to have none. */
  readonly levels = new Map<number, LevelWork>();
  flushedBytes = 0;
  /** Times that a condition began, as `condition cause`. */
  readonly stalls = new Map<string, number>();

  flushed(event: FlushEvent): void {
    this.flushedBytes += event.sizeBytes;
    const work = this.#at(0);
    work.jobs++;
    work.micros += event.micros;
    work.written += event.sizeBytes;
  }

  compacted(event: CompactionEvent): void {
    const work = this.#at(event.outputLevel);
    if (event.trivialMove) {
      work.moved += event.bytesMoved;
      return;
    }
    work.jobs++;
    work.micros += event.micros;
    work.readHere += event.bytesReadOutputLevel;
    work.readAbove += event.bytesRead - event.bytesReadOutputLevel;
    work.written += event.bytesWritten;
    work.keysIn += event.inputRecords;
    work.keysDropped += event.inputRecords - event.outputRecords;
  }

  stalled(condition: StallCondition, cause: string): void {
    if (condition === 'normal') return;
    const name = `${condition} ${cause}`;
    this.stalls.set(name, (this.stalls.get(name) ?? 0) + 1);
  }

  /** Times that a stall of this kind began. */
  stallCount(condition: 'delayed' | 'stopped', cause: string): number {
    return this.stalls.get(`${condition} ${cause}`) ?? 0;
  }

  #at(level: number): LevelWork {
    let work = this.levels.get(level);
    if (work === undefined) {
      work = noWork();
      this.levels.set(level, work);
    }
    return work;
  }
}
