/** What a workload is. */
import type { BenchThread, RunSettings } from './bench-run.ts';

/** A workload that is measured. */
export interface Workload {
  readonly name: string;
  /** What it does, for the help. */
  readonly help: string;
  /** Starts with an empty database; skipped with `--use_existing_db`. */
  readonly fresh?: boolean;
  /** Needs `--merge_operator`. */
  readonly merges?: boolean;
  /** Works on no database. */
  readonly standalone?: boolean;
  /** What it changes of the numbers that the flags gave. */
  adjust?(settings: RunSettings): Partial<RunSettings>;
  /** One loop; called once a thread, at the same time. */
  run(thread: BenchThread): Promise<void>;
}
