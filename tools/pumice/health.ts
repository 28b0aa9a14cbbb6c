/** What the doctor finds: plain data, printed as a page or as JSON. */

/** How bad a finding is: `problem` needs somebody now, `warning` soon or never. */
export type Severity = 'problem' | 'warning';

/** One finding. */
export interface Finding {
  readonly severity: Severity;
  readonly text: string;
}

/** One level of a family. */
export interface LevelHealth {
  readonly level: number;
  readonly files: number;
  readonly sizeBytes: number;
  /** Undefined with `--quick`. */
  readonly entries: number | undefined;
  readonly tombstones: number | undefined;
}

/** One family. */
export interface FamilyHealth {
  readonly name: string;
  readonly levels: readonly LevelHealth[];
  readonly sizeBytes: number;
  /** Sorted runs that a read may have to look into. */
  readonly readAmplification: number;
  /** Bytes of all tables over those of the last sorted run. */
  readonly spaceAmplification: number;
  readonly pendingCompactionBytes: number;
  readonly stall: 'none' | 'slowdown' | 'stop';
}

/** Everything. */
export interface Health {
  readonly path: string;
  readonly latestSequence: number;
  readonly families: readonly FamilyHealth[];
  readonly tablesRead: number;
  readonly bytesRead: number;
  readonly freeBytes: number;
  readonly findings: readonly Finding[];
}
