/** What background work of one database has read and written since it was opened. Always counted; it costs an addition a job. */
import type { CompactionEvent, EventListener, FlushEvent } from './event-listener.ts';

/** Sums over finished jobs, in bytes. */
export class WorkTotals implements EventListener {
  flushedBytes = 0;
  compactionReadBytes = 0;
  compactionWrittenBytes = 0;

  onFlushCompleted(event: FlushEvent): void {
    this.flushedBytes += event.sizeBytes;
  }

  onCompactionCompleted(event: CompactionEvent): void {
    this.compactionReadBytes += event.bytesRead;
    this.compactionWrittenBytes += event.bytesWritten;
  }
}
