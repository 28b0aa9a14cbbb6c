/** What one call of a picker looks at, beside the options: a snapshot of the family, plain data. */
import type { Compaction } from './compaction.ts';
import type { LevelsView } from './levels-view.ts';

/** The family at the moment of picking. */
export interface PickContext {
  readonly familyId: number;
  readonly familyName: string;
  readonly view: LevelsView;
  /** Compactions of this family that were picked and have not been installed or given up. */
  readonly running: readonly Compaction[];
  /** Where round-robin stands, by level: an internal key, as the MANIFEST keeps it. */
  readonly compactCursors: ReadonlyMap<number, Uint8Array>;
  /** Unix time in seconds; decides about ttl. */
  readonly nowSeconds: number;
  /** No live snapshot is older than this, as of the last release of one; 0 when none was released since the open. */
  readonly releasedSequence: number;
  /** Numbers of tables that were rewritten at the bottom and keep sequences all the same: again would change nothing. */
  readonly settledFiles: ReadonlySet<number>;
}
