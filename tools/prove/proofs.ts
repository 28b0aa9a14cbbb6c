/** The proofs that can be made larger: the tests of each, and the variables of the environment that say how large. */

/** One proof. */
export interface Proof {
  /** The row of the reliability figures that its tests are named for. */
  row: string;
  files: readonly string[];
  /** Variables and their values in `npm test`; multiplied by the scale, up to `most` where more makes no sense. */
  counts: Readonly<Record<string, { usual: number; most?: number }>>;
}

/** How much is asked for. */
export interface ProofSize {
  scale: number;
  hours: number;
  seed: number | undefined;
}

/** About as many as there are; `--hours` is divided among them. */
const DECODERS = 44;

/** Every proof, in the order of the rows. */
export const PROOFS: readonly Proof[] = [
  { row: 'R1', files: ['test/crash/kill.test.ts'], counts: { PUMICE_KILL_CYCLES: { usual: 120 } } },
  { row: 'R2', files: ['test/crash/power-cut.test.ts'], counts: { PUMICE_POWER_CUTS: { usual: 20_000 } } },
  { row: 'R4', files: ['test/crash/corruption.test.ts'], counts: { PUMICE_CORRUPTIONS: { usual: 60_000 } } },
  { row: 'R7', files: ['test/model'], counts: { PUMICE_MODEL_OPERATIONS: { usual: 80_000 } } },
  {
    row: 'R9',
    files: ['test/reliability/fuzz', 'test/format/kernel/block-hostile.test.ts'],
    counts: { PUMICE_FUZZ_ROUNDS: { usual: 1500 } },
  },
  {
    row: 'R11',
    files: ['test/reliability/memory.test.ts'],
    counts: { PUMICE_MEMORY_MIB: { usual: 192, most: 10_240 }, PUMICE_LOG_MIB: { usual: 128, most: 1024 } },
  },
  {
    row: 'R15',
    files: ['test/reliability/lock-race.test.ts'],
    counts: { PUMICE_LOCK_PROCESSES: { usual: 60, most: 200 }, PUMICE_LOCK_ROUNDS: { usual: 20, most: 200 } },
  },
];

/** Checks the flags. Throws with what is wrong. */
export function parseSize(scale: string, hours: string, seed: string | undefined): ProofSize {
  const size = { scale: Number(scale), hours: Number(hours), seed: seed === undefined ? undefined : Number(seed) };
  if (!(size.scale > 0 && Number.isFinite(size.scale))) {
    throw new RangeError('--scale must be a number above 0');
  }
  if (!(size.hours >= 0 && Number.isFinite(size.hours))) {
    throw new RangeError('--hours must be a number, 0 or more');
  }
  if (size.seed !== undefined && !Number.isSafeInteger(size.seed)) {
    throw new RangeError('--seed must be a whole number');
  }
  return size;
}

/** The variables of one proof. */
export function environmentOf(proof: Proof, { scale, hours, seed }: ProofSize): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, { usual, most }] of Object.entries(proof.counts)) {
    environment[name] = String(Math.min(most ?? Number.POSITIVE_INFINITY, Math.ceil(usual * scale)));
  }
  if (proof.row === 'R9' && hours > 0) {
    environment.PUMICE_FUZZ_SECONDS = String(Math.ceil((hours * 3600) / DECODERS));
  }
  if (seed !== undefined) {
    environment.PUMICE_SEED = String(seed);
  }
  return environment;
}
