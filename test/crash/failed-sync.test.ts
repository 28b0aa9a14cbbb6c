/**
 * A sync that fails, and then the power. After a failed sync the pages count as clean: a later sync of the same file succeeds
 * and saves nothing. Method: one workload again and again with the next sync failing, in three models of what the pages hold
 * then; the file must never be trusted again, nothing promised before or after may be lost.
 */

import { afterAll, expect, test } from 'vitest';
import type { CrashModel } from '../../src/env/crash-image.ts';
import type { FileOperation } from '../../src/env/file-operation.ts';
import { MemoryFileSystem } from '../../src/env/memory-file-system.ts';
import { DB, DBError, Env, WriteBatch } from '../../src/index.ts';
import { addToBatch, type Operation } from '../model/operation.ts';
import { OPTION_SETS, openOptions } from '../model/option-sets.ts';
import { Random, seedFor } from '../support/random.ts';
import { type FaultWorkload, mixedFaultWorkload } from './fault-run.ts';
import { fingerprintOf, History } from './history.ts';
import { CheckTotals, checkImage } from './image-check.ts';
import { DIRECTORY, losesInTheMiddle } from './power-cut-run.ts';

const SEED = seedFor(61);
const TIMEOUT_MS = 10 * 60_000;
const OUTCOMES = ['cached', 'old', 'zero'] as const;
const MODELS: readonly CrashModel[] = ['synced', 'ordered', 'subset'];

const totals = new CheckTotals();
let sites = 0;
let refused = 0;
let resumed = 0;

/** One run: the `nth` sync fails, once. */
class FailedSyncRun {
  isInjected = false;
  private history: History;
  private readonly fileSystem: MemoryFileSystem;
  private readonly env: Env;
  private readonly workload: FaultWorkload;
  private readonly random = new Random(SEED);
  private readonly place: string;
  private db: DB | undefined;
  private durable = 0;
  private syncs = 0;

  constructor(workload: FaultWorkload, failedSyncOutcome: (typeof OUTCOMES)[number], nth: number) {
    this.workload = workload;
    this.history = new History(workload.optionSet);
    this.place = `${failedSyncOutcome}, sync ${nth} failed`;
    const before = (_index: number, operation: FileOperation) => {
      const isSync = operation.kind === 'sync' || operation.kind === 'directory-sync';
      if (!isSync || ++this.syncs !== nth) {
        return undefined;
      }
      this.isInjected = true;
      return { errno: 'EIO' } as const;
    };
    this.fileSystem = new MemoryFileSystem({ crashable: true, failedSyncOutcome, hooks: { before } });
    this.env = new Env({ fileSystem: this.fileSystem });
  }

  async run(): Promise<void> {
    try {
      await this.steps();
      await this.cut('at the end');
    } catch (error) {
      expect(error).toBeInstanceOf(DBError);
      await this.afterFailure();
    } finally {
      await this.db?.close().catch((error: unknown) => expect(error).toBeInstanceOf(DBError));
      await this.env.close();
    }
  }

  private async steps(): Promise<void> {
    await this.open();
    for (const [index, step] of this.workload.steps.entries()) {
      if (step.kind === 'write') {
        await this.write(step.operations, index % 2 === 0);
      } else if (step.kind === 'reopen') {
        await this.db?.close();
        await this.open();
      } else if (step.kind === 'compact') {
        await this.db?.compactRange();
      } else {
        const number = this.history.length;
        await (step.kind === 'flush' ? this.db?.flush() : this.db?.syncWal());
        this.durable = number;
      }
    }
  }

  /** The power may go at once, or after the database was brought back and has promised more. */
  private async afterFailure(): Promise<void> {
    await this.cut('cut at once');
    if (this.db === undefined) {
      return;
    }
    await this.tryFurtherWrite();
    await this.cut('cut after one more synced write was tried');
    try {
      await this.db.resume();
    } catch (error) {
      expect(error).toBeInstanceOf(DBError);
      return;
    }
    // Whether the write whose sync failed counts is settled now: what readers see is the start of what follows.
    this.startFrom(this.db, 'after resume');
    await this.write([this.marker('after resume')], true);
    resumed++;
    await this.cut('cut after resume');
  }

  /** A write that is refused must leave nothing behind; one that is taken, where no log was hit, must stay. */
  private async tryFurtherWrite(): Promise<void> {
    const marker = this.marker('before resume');
    const batch = new WriteBatch();
    addToBatch(batch, marker);
    try {
      await this.db!.write(batch, { sync: true });
    } catch (error) {
      expect(error).toBeInstanceOf(DBError);
      refused++;
      return;
    }
    this.durable = this.history.push([marker]);
  }

  private startFrom(db: DB, when: string): void {
    const { optionSet } = this.workload;
    const found = fingerprintOf(db, optionSet, Object.keys(optionSet.families));
    const at = this.history.match(found, this.durable, this.history.length, `${this.place}, ${when}`);
    this.history = new History(optionSet, { history: this.history, at });
    this.durable = 0;
  }

  private marker(text: string): Operation {
    return { kind: 'put', family: 'default', key: 'marker', value: Buffer.from(text) };
  }

  private async open(): Promise<void> {
    this.db = undefined;
    this.db = await DB.open(DIRECTORY, openOptions(this.workload.optionSet, { env: this.env }));
  }

  private async write(operations: Operation[], sync: boolean): Promise<void> {
    const batch = new WriteBatch();
    for (const operation of operations) {
      addToBatch(batch, operation);
    }
    const number = this.history.push(operations);
    await this.db!.write(batch, { sync });
    this.durable = sync ? number : this.durable;
  }

  private async cut(when: string): Promise<void> {
    const { optionSet } = this.workload;
    for (const model of MODELS) {
      const image = {
        fileSystem: this.fileSystem.crashImage(model, this.random),
        history: this.history,
        least: this.durable,
        most: this.history.length,
        model,
        mayHaveGaps: losesInTheMiddle(model),
        place: `${this.workload.name}, ${this.place}, ${when}, seed ${SEED}`,
      };
      await checkImage(image, optionSet, {}, this.random, totals);
    }
  }
}

function workloadOf(name: string, seed: number): FaultWorkload {
  const optionSet = OPTION_SETS.find((each) => each.name === name)!;
  return mixedFaultWorkload(name, optionSet, seed, 30);
}

const WORKLOADS = [workloadOf('tiny levels', SEED), workloadOf('atomic flush', SEED + 1)];
const cases = WORKLOADS.flatMap((workload) => OUTCOMES.map((outcome) => [workload.name, outcome, workload] as const));

test.each(cases)(
  'R6 %s: every sync fails once, its pages %s, and then the power',
  async (_name, outcome, workload) => {
    for (let nth = 1; ; nth++) {
      const run = new FailedSyncRun(workload, outcome, nth);
      await run.run();
      if (!run.isInjected) {
        expect(nth).toBeGreaterThan(20);
        return;
      }
      sites++;
    }
  },
  TIMEOUT_MS,
);

test('R6 writes are refused after a failed sync, and come back with resume', () => {
  expect(refused).toBeGreaterThan(0);
  expect(resumed).toBeGreaterThan(0);
});

afterAll(() => {
  process.stdout.write(
    `failed syncs: ${sites} sites, ${totals.images} states, a further write refused after ${refused}, ` +
      `${resumed} resumed, seed ${SEED}\n`,
  );
});
