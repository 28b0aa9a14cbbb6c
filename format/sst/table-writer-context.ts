/** What a table is told about the database that writes it. */
import type { Comparator } from '../base/comparator.ts';
import type { Io } from '../base/io.ts';
import type { SliceTransform } from '../base/slice-transform.ts';

/** What a table records about where it comes from. Times in Unix seconds, 0 unknown. */
export interface TableWriterContext {
  readonly comparator: Comparator;
  readonly familyId: number;
  readonly familyName: string;
  readonly creationTime: number;
  readonly oldestKeyTime: number;
  readonly fileCreationTime: number;
  readonly dbId: string;
  readonly dbSessionId: string;
  readonly dbHostId: string;
  readonly fileNumber: number;
  readonly mergeOperatorName?: string | undefined;
  readonly prefixExtractor?: SliceTransform | undefined;
  /** Made to be ingested: all sequences 0, with room for a global one. */
  readonly externalFile?: boolean | undefined;
  /** Bytes at which the caller ends the file; left out, or not finite: whenever it likes. */
  readonly targetFileSize?: number | undefined;
  /** Called behind each of many blocks that are compressed in one go, for a caller who must not work long without a rest. */
  readonly pause?: (() => Io<void>) | undefined;
}
