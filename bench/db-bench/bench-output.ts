/** Where db_bench writes to: text for people, and with `--json` one document for programs. */

/** A place for text. */
export interface TextTarget {
  write(text: string): unknown;
}

/** The two streams of a run, and whether somebody watches the second. */
export interface BenchStreams {
  readonly out: TextTarget;
  readonly err: TextTarget;
  readonly interactive: boolean;
}

/** Figures of one workload, for `--json`. */
export interface WorkloadResult {
  readonly name: string;
  readonly threads: number;
  readonly operations: number;
  readonly seconds: number;
  readonly microsPerOp: number;
  readonly opsPerSecond: number;
  readonly mbPerSecond: number;
  readonly message: string;
  /** Data blocks looked into for each operation; only with `--statistics`. */
  readonly blocksPerOp?: number;
  /** Syncs of the log for each operation; only with `--statistics`. */
  readonly syncsPerOp?: number;
  /** Microseconds by percentile and kind of operation; only with `--histogram`. */
  readonly percentiles?: Record<string, Record<string, number>>;
}

/** What the database holds at the end. */
export interface FinalState {
  readonly directory: string;
  readonly diskBytes: number;
  readonly spaceAmplification: number;
  readonly writeAmplification: number;
  /** Files a level. */
  readonly levels: readonly number[];
  readonly trivialMoves?: number;
  /** Calls that synced logs and MANIFESTs; only with `--statistics`. */
  readonly syncs?: number;
}

/** Collects what a run prints. */
export class BenchOutput {
  readonly #streams: BenchStreams;
  readonly #json: boolean;
  readonly results: WorkloadResult[] = [];

  constructor(streams: BenchStreams, json: boolean) {
    this.#streams = streams;
    this.#json = json;
  }

  get interactive(): boolean {
    return this.#streams.interactive;
  }

  /** Text of the report. */
  print(text: string): void {
    (this.#json ? this.#streams.err : this.#streams.out).write(text);
  }

  /** Progress and complaints. */
  complain(text: string): void {
    this.#streams.err.write(text);
  }

  /** The document of `--json`; nothing without it. */
  finish(document: () => object): void {
    if (this.#json)
      this.#streams.out.write(`${JSON.stringify({ ...document(), results: this.results }, undefined, 2)}\n`);
  }
}
