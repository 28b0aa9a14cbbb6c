/**
 * db_stress: many loops write, delete, read and scan at the same time, the database is closed and opened again on the way,
 * and every answer is compared with the expected state. With `--kill_random_test` the process kills itself without notice;
 * the next run with the same directories checks what it left. Exit code 1 when anything was wrong.
 */
import { SeededRandom } from '../../src/env/random.ts';
import { DB, type Options } from '../../src/index.ts';
import { Flags, type GivenFlag, splitArguments } from '../lib/arguments.ts';
import { flagHelp } from '../lib/flag-help.ts';
import { ToolFailure } from '../lib/tool-failure.ts';
import type { ToolStreams } from '../lib/tool-process.ts';
import { ExpectedState } from './expected-state.ts';
import { PlantedBug } from './planted-bug.ts';
import { STRESS_FLAGS, type StressSettings, stressSettings } from './stress-flags.ts';
import { StressLoop, type StressShared } from './stress-loop.ts';
import { stressOptions } from './stress-options.ts';
import { StressStore } from './stress-store.ts';
import { VerificationFailure } from './verification-failure.ts';
import { verifyDatabase } from './verify-database.ts';

/** What a run needs of the process; tests give their own. */
export interface StressHost {
  /** Ends the process at once, as a crash would. */
  kill(): void;
  /** Name of a bug to plant. */
  readonly bug: string | undefined;
}

const processHost: StressHost = {
  kill: () => process.kill(process.pid, 'SIGKILL'),
  bug: process.env.PUMICE_STRESS_BUG,
};

/** Runs the tool; returns its exit code. */
export function dbStress(args: readonly string[], streams: ToolStreams): Promise<number> {
  return runStress(args, streams, processHost);
}

/** The tool, in a host. */
export async function runStress(args: readonly string[], streams: ToolStreams, host: StressHost): Promise<number> {
  const { flags: given, words } = splitArguments(args);
  if (given.some(({ name }) => name === 'help')) {
    streams.out.write(`db_stress - checks the database against what it must hold\n\n${flagHelp(STRESS_FLAGS)}`);
    return 0;
  }
  if (words.length > 0) throw new ToolFailure(`ERROR: unexpected argument '${words[0]}'`);
  const flags = new Flags(given, STRESS_FLAGS, unknownFlag);
  const settings = stressSettings(flags);
  const test = new StressTest(settings, stressOptions(flags), streams, host);
  try {
    await test.run();
  } catch (error) {
    if (!(error instanceof VerificationFailure)) throw error;
    streams.err.line(`Verification failed: ${error.message} (seed ${settings.seed})`);
    return 1;
  }
  return 0;
}

function unknownFlag({ name }: GivenFlag): ToolFailure {
  return new ToolFailure(`ERROR: unknown command line flag '${name}'`);
}

class StressTest {
  readonly #settings: StressSettings;
  readonly #options: Options;
  readonly #streams: ToolStreams;
  readonly #host: StressHost;
  readonly #bug: PlantedBug;

  constructor(settings: StressSettings, options: Options, streams: ToolStreams, host: StressHost) {
    this.#settings = settings;
    this.#options = options;
    this.#streams = streams;
    this.#host = host;
    this.#bug = new PlantedBug(host.bug);
  }

  async run(): Promise<void> {
    const settings = this.#settings;
    using expected = new ExpectedState(
      settings.maxKey * settings.columnFamilies,
      settings.expectedDirectory,
      settings.destroyInitially,
    );
    this.#describe(expected.restored);
    // Without a state to compare with, what the directory holds means nothing.
    if (!expected.restored) await DB.destroy(settings.path);
    let store = await StressStore.open(settings, this.#options, this.#bug);
    try {
      if (expected.restored) await this.#verified(await verifyDatabase(store, expected, settings, true));
      const shared = this.#shared(expected);
      const startMs = performance.now();
      const loops = Array.from({ length: settings.threads }, (_, index) => new StressLoop(shared, store, index));
      for (let phase = 0; phase <= settings.reopen; phase++) {
        if (phase > 0) {
          await store.close();
          store = await StressStore.open(settings, this.#options, this.#bug);
          this.#streams.out.line(`Reopened the database ${phase} of ${settings.reopen} times`);
          if (settings.verifyOneIn > 0 && phase % settings.verifyOneIn === 0) {
            await verifyDatabase(store, expected, settings, false);
          }
        }
        await runPhase(shared, loops, store, phaseOperations(settings, phase));
      }
      this.#report(shared, performance.now() - startMs);
      await this.#verified(await verifyDatabase(store, expected, settings, false));
    } finally {
      await store.close();
    }
  }

  #shared(expected: ExpectedState): StressShared {
    const chance = new SeededRandom(this.#settings.seed + 7919);
    const { killOneIn } = this.#settings;
    return {
      settings: this.#settings,
      expected,
      locked: new Set(),
      counts: new Map(),
      killPoint: () => {
        if (killOneIn > 0 && chance.below(killOneIn) === 0) this.#host.kill();
      },
      stopped: false,
    };
  }

  #describe(restored: boolean): void {
    const { maxKey, threads, opsPerThread, seed, path, killOneIn, reopen } = this.#settings;
    const { out } = this.#streams;
    out.line(`DB path           : [${path}]`);
    out.line(`Max key           : ${maxKey}`);
    out.line(`Number of threads : ${threads} (loops on one event loop)`);
    out.line(`Ops per thread    : ${opsPerThread}`);
    out.line(`Reopen            : ${reopen} times`);
    out.line(`Kill odds         : ${killOneIn === 0 ? 'never' : `1 in ${killOneIn}`}`);
    out.line(`Seed              : ${seed}`);
    out.line(`Expected state    : ${restored ? 'of an earlier run' : 'new'}`);
    out.line('------------------------------------------------');
  }

  #report({ counts }: StressShared, elapsedMs: number): void {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const { out } = this.#streams;
    const micros = (1000 * elapsedMs) / Math.max(1, total);
    out.line(`Stress Test : ${micros.toFixed(3)} micros/op ${Math.floor((1000 * total) / elapsedMs)} ops/sec`);
    for (const [kind, count] of [...counts].sort()) out.line(`            : ${count} ${kind}`);
  }

  /** Flushed at once: a process that kills itself takes along what it has not written. */
  async #verified(present: number): Promise<void> {
    this.#streams.out.line(`Verification successful: ${present} keys`);
    await this.#streams.out.flush();
  }
}

/** The operations of a loop before a reopening; they sum to `--ops_per_thread`. */
function phaseOperations({ opsPerThread, reopen }: StressSettings, phase: number): number {
  const share = opsPerThread / (reopen + 1);
  return Math.floor(share * (phase + 1)) - Math.floor(share * phase);
}

async function runPhase(
  shared: StressShared,
  loops: readonly StressLoop[],
  store: StressStore,
  count: number,
): Promise<void> {
  const ends = await Promise.allSettled(
    loops.map(async (loop) => {
      try {
        await loop.run(store, count);
      } catch (error) {
        shared.stopped = true;
        throw error;
      }
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
