/** What background work of one database has read and written since it was opened. Always counted; it costs an addition a job. */
import type { CompactionEvent, EventListener, FlushEvent, StallCondition } from './event-listener.ts';
import { FamilyWork } from './family-work.ts';

/** Sums over finished jobs, in bytes, and the same by family. */
export class WorkTotals implements EventListener {
  flushedBytes = 0;
  compactionReadBytes = 0;
  compactionWrittenBytes = 0;
  readonly #families = new Map<string, FamilyWork>();

  /** The sums of the family of this name. */
  family(name: string): FamilyWork {
    let work = this.#families.get(name);
    if (work === undefined) {
      work = new FamilyWork();
      this.#families.set(name, work);
    }
    return work;
  }

  onFlushCompleted(event: FlushEvent): void {
    this.flushedBytes += event.sizeBytes;
    this.family(event.columnFamily).flushed(event);
  }

  onCompactionCompleted(event: CompactionEvent): void {
    this.compactionReadBytes += event.bytesRead;
    this.compactionWrittenBytes += event.bytesWritten;
    this.family(event.columnFamily).compacted(event);
  }

  onStallConditionsChanged(event: { columnFamily: string; current: StallCondition; cause: string }): void {
    this.family(event.columnFamily).stalled(event.current, event.cause);
  }

  onColumnFamilyDropped(event: { columnFamily: string }): void {
    this.#families.delete(event.columnFamily);
  }
}
