/** What a repair found and did. */
import type { RecoveryDrop } from '../../wal/wal-recovery.ts';

/** A file that is not part of the repaired database any more. */
export interface LostFile {
  /** Where it was. */
  path: string;
  /** Where it is now. */
  movedTo: string;
  /** `damaged`: its content could not be read. `replaced`: other files hold its content now. */
  kind: 'damaged' | 'replaced';
  /** For people. */
  reason: string;
}

/** The answer of `DB.repair`. */
export interface RepairReport {
  columnFamilies: string[];
  /** Names of the tables that make the database up now. */
  tables: string[];
  /** Paths of the logs whose records are in tables now. */
  logs: string[];
  /** Files that were moved to `lost/`; none is ever deleted. */
  lost: LostFile[];
  /** Parts of logs that could not be read. */
  drops: RecoveryDrop[];
  lastSequence: number;
}
