/** Reads a whole log into a list of what the reader came upon. */
import { runSync } from '../../../format/base/io.ts';
import type { LogEventKind } from '../../../format/log/log-event.ts';
import { LogReader, type LogReaderOptions, LogStep } from '../../../format/log/log-reader.ts';
import { bytesFile } from '../base/byte-files.ts';

/** A record, or an event. */
export type Found =
  | { readonly record: Uint8Array; readonly offset: number }
  | { readonly event: LogEventKind; readonly offset: number; readonly bytes: number };

/** Every step over `bytes`; events are stepped over. */
export function readLog(bytes: Uint8Array, options: LogReaderOptions = {}): Found[] {
  const reader = new LogReader(bytesFile(bytes), options);
  const found: Found[] = [];
  try {
    for (;;) {
      const step = runSync(reader.next());
      if (step === LogStep.end) return found;
      if (step === LogStep.record) found.push({ record: reader.record().slice(), offset: reader.recordOffset });
      else found.push({ event: reader.event!.kind, offset: reader.event!.offset, bytes: reader.event!.bytes });
    }
  } finally {
    reader.close();
  }
}

/** The records among them. */
export function recordsOf(found: readonly Found[]): Uint8Array[] {
  return found.flatMap((item) => ('record' in item ? [item.record] : []));
}

/** The kinds of the events among them. */
export function eventsOf(found: readonly Found[]): LogEventKind[] {
  return found.flatMap((item) => ('event' in item ? [item.event] : []));
}
