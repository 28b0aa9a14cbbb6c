/** Runs db_bench inside the test's own process and collects what it prints. */
import { dbBench } from '../../bench/db-bench/db-bench.ts';

/** What a run left behind. */
export interface BenchOutcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs it to its end, with a fixed seed unless one is given. */
export async function runDbBench(...args: readonly string[]): Promise<BenchOutcome> {
  let out = '';
  let err = '';
  const code = await dbBench(['--seed=1', ...args], {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    interactive: false,
  });
  return { code, out, err };
}

/** What `--json` printed. */
export interface BenchDocument {
  readonly results: readonly {
    name: string;
    operations: number;
    threads: number;
    message: string;
    microsPerOp: number;
    blocksPerOp?: number;
    syncsPerOp?: number;
    percentiles?: Record<string, Record<string, number>>;
  }[];
  readonly final: {
    diskBytes: number;
    spaceAmplification: number;
    writeAmplification: number;
    levels: number[];
    trivialMoves?: number;
    syncs?: number;
  };
}

/** Runs it with `--json` and statistics; throws with what it printed when it failed. */
export async function benchDocument(...args: readonly string[]): Promise<BenchDocument> {
  const { code, out, err } = await runDbBench('--json', '--statistics', ...args);
  if (code !== 0) throw new Error(`db_bench failed:\n${err}`);
  return JSON.parse(out) as BenchDocument;
}
