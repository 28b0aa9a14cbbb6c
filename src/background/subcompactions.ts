/**
 * Divides large compactions (`maxSubcompactions`) and runs the parts: side by side in the worker pool, or one after the
 * other where there are no workers. The caller gets one result, as of an undivided job. When a part fails the others are
 * stopped and nothing of any of them is left.
 */
import type { Compaction } from '../../compaction/compaction.ts';
import type { CompactionResult } from '../../compaction/compaction-result.ts';
import {
  divideCompaction,
  joinResults,
  mayFormSubcompactions,
  subcompactionBoundaries,
} from '../../compaction/subcompactions.ts';
import { assert } from '../../format/base/assert.ts';
import { DBError } from '../../format/base/db-error.ts';
import { type Io, IoTask, inPlace, repeatableIo } from '../../format/base/io.ts';
import type { KeyAnchor } from '../../format/sst/key-anchors.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import { eventLoopTurn } from './event-loop-turn.ts';
import type { Job, JobRunner } from './job-runner.ts';
import { travellingComponents } from './travelling-components.ts';

/** The compaction jobs of one database, divided or not. */
export class Subcompactions {
  readonly #runner: JobRunner;

  constructor(runner: JobRunner) {
    this.#runner = runner;
  }

  /**
   * The parts of a compaction in key order, at most `most` (0 and 1: none); the compaction itself when it is not divided.
   * One that needs components which exist on this thread only stays whole: its parts could not run side by side. Reads
   * the indexes of the inputs, whose files must stay until this is done.
   */
  *divide(family: ColumnFamilyState, compaction: Compaction, most: number): Io<readonly Compaction[]> {
    const { comparator, options } = family;
    if (!mayFormSubcompactions(compaction, options.compactionStyle, most)) return [compaction];
    if (travellingComponents(options, 'compaction') === undefined) return [compaction];
    try {
      const anchors = yield* inPlace(this.#anchorsOf(family, compaction));
      return divideCompaction(compaction, subcompactionBoundaries(compaction, anchors, most, comparator), comparator);
    } catch (error) {
      if (!(error instanceof DBError)) throw error;
      // What is wrong with an input is for the job to meet and to report.
      this.#runner.logger.warn(`[${family.name}] Cannot divide a compaction: ${error.message}`);
      return [compaction];
    }
  }

  /** Carries out the parts of a compaction, as `divide` gave them; otherwise as `JobRunner.run`. */
  *run(job: Omit<Job, 'work'>, compaction: Compaction, parts: readonly Compaction[]): Io<CompactionResult> {
    if (parts.length === 1) return yield* this.#runner.run({ ...job, work: { kind: 'compaction', compaction } });
    const run = new PartsRun(this.#runner, job, parts);
    return joinResults(compaction, yield* run.carryOut());
  }

  *#anchorsOf(family: ColumnFamilyState, compaction: Compaction): Io<KeyAnchor[]> {
    const io = this.#runner.localIo(family, () => false);
    const anchors: KeyAnchor[] = [];
    for (const { files } of compaction.inputs) {
      for (const file of files) {
        const table = yield* io.openInput(file);
        try {
          anchors.push(...(yield* table.reader.keyAnchors(eventLoopTurn)));
        } finally {
          table.release();
        }
      }
    }
    return anchors;
  }
}

/** The parts of one compaction under way. */
class PartsRun {
  readonly #runner: JobRunner;
  readonly #job: Omit<Job, 'work'>;
  readonly #parts: readonly Compaction[];
  readonly #results: (CompactionResult | undefined)[];
  /** What the first part that failed met; the others are `ABORTED` because of it. */
  #failure: { error: unknown } | undefined;

  constructor(runner: JobRunner, job: Omit<Job, 'work'>, parts: readonly Compaction[]) {
    this.#runner = runner;
    this.#job = job;
    this.#parts = parts;
    this.#results = parts.map(() => undefined);
  }

  /** The results in key order; throws the first failure, after the outputs of all parts are removed. */
  *carryOut(): Io<CompactionResult[]> {
    if (this.#runner.hasWorkers) yield* settled(this.#parts.map((_, i) => new IoTask(this.#carryOutPart(i))));
    else for (let i = 0; i < this.#parts.length && this.#failure === undefined; i++) yield* this.#carryOutPart(i);
    const results = this.#results.filter((result) => result !== undefined);
    if (this.#failure === undefined) return results;
    const numbers = results.flatMap(({ outputs }) => outputs.map(({ number }) => number));
    if (numbers.length > 0) yield* inPlace(this.#runner.removeOutputs(numbers));
    throw this.#failure.error;
  }

  /** Never throws: a failure is noted, and stops the other parts. */
  *#carryOutPart(index: number): Io<void> {
    const work = { kind: 'compaction', compaction: this.#parts[index]! } as const;
    const isCancelled = (): boolean => this.#failure !== undefined || this.#job.isCancelled();
    try {
      this.#results[index] = yield* this.#runner.run({ ...this.#job, work, isCancelled });
    } catch (error) {
      this.#failure ??= { error };
      this.#runner.applyCancellations();
    }
  }
}

/** Waits for tasks that do not fail and whose steps may all be repeated. */
function settled(tasks: readonly IoTask<void>[]): Io<void> {
  return repeatableIo(
    () => {
      for (const task of tasks) assert(task.finishSync(), 'a part of a compaction cannot be finished in place');
    },
    async () => {
      await Promise.all(tasks.map((task) => task.promise));
    },
    () => tasks.map((task) => task.waitsFor).find((wait) => wait !== undefined),
  );
}
