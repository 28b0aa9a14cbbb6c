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
}
