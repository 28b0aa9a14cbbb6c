/**
 * One workload on a file system that fails one of its calls: whatever fails must be told to somebody who asked, nothing
 * acknowledged may be lost, and once the fault is gone the database must work again, by `resume()` or a reopen.
 */

import { type Fault, FaultFileSystem, type FaultRule } from '../../src/env/fault-injection-file-system.ts';
import type { FileOperationKind } from '../../src/env/file-operation.ts';
import { MemoryFileSystem } from '../../src/env/memory-file-system.ts';
import { DB, DBError, Env, WriteBatch } from '../../src/index.ts';
import { addToBatch, type Operation } from '../model/operation.ts';
import { type OptionSet, openOptions } from '../model/option-sets.ts';
import { Random } from '../support/random.ts';
import { fingerprintOf, History, Violation } from './history.ts';
import { OperationStream, type Step } from './operation-stream.ts';

const DIRECTORY = '/db';
const HANG_MS = 20_000;

/** A fault and the call it hits. */
export interface FaultCase {
  fault: Fault;
  sticky: boolean;
  afterEffect: boolean;
  /** The calls that can fail in this way. Default: all. */
  kinds?: readonly FileOperationKind[];
  /** The n-th call that can fail in this way, from 1. */
  nth: number;
}

/** What one run met. */
export interface FaultOutcome {
  /** False: the workload ended before the n-th call came. */
  injected: boolean;
  /** A call of the API was rejected. */
  surfaced: boolean;
  /** `resume()` brought writes back without a reopen. */
  resumed: boolean;
}

/** A fixed list of steps; every run of a sweep makes the same calls up to its fault. */
export interface FaultWorkload {
  name: string;
  optionSet: OptionSet;
  steps: Step[];
}

/** A workload of mixed steps with a flush, a compaction and a reopen in known places. */
export function mixedFaultWorkload(name: string, optionSet: OptionSet, seed: number, writes: number): FaultWorkload {
  const stream = new OperationStream(optionSet, seed, 50);
  const steps: Step[] = [];
  for (let i = 0; i < writes; ) {
    const step = stream.next();
    if (step.kind === 'write') {
      steps.push({ kind: 'write', operations: step.operations.slice(0, 6) });
      i++;
      if (i % 9 === 0) {
        steps.push({ kind: 'flush' });
      } else if (i % 13 === 0) {
        steps.push({ kind: 'syncWal' });
      } else if (i === Math.floor(writes / 2)) {
        steps.push({ kind: 'compact' }, { kind: 'reopen' });
      }
    }
  }
  return { name, optionSet, steps: [...steps, { kind: 'compact' }] };
}

/** State of one run. */
class FaultRun {
  readonly history: History;
  acknowledged = 0;
  surfaced: DBError | undefined;
  private readonly workload: FaultWorkload;
  private readonly env: Env;
  private readonly random = new Random(1);
  private db: DB | undefined;

  constructor(workload: FaultWorkload, env: Env) {
    this.workload = workload;
    this.env = env;
    this.history = new History(workload.optionSet);
  }

  /** Runs the steps until one is rejected. */
  async runUntilFailure(): Promise<void> {
    try {
      await this.open();
      for (const step of this.workload.steps) {
        await this.step(step);
      }
    } catch (error) {
      if (!(error instanceof DBError)) {
        throw new Violation(`a failure that is no DBError: ${error}`, { cause: error });
      }
      this.surfaced = error;
    }
  }

  /** After the fault is gone: what is readable now, and whether writes come back without a reopen. */
  async recoverInPlace(): Promise<boolean> {
    const { db } = this;
    if (db === undefined) {
      return false;
    }
    // What readers see must already be a whole state; the failed write may be in it or not, but not in part.
    const names = Object.keys(this.workload.optionSet.families);
    this.history.match(
      fingerprintOf(db, this.workload.optionSet, names),
      this.acknowledged,
      this.history.length,
      'live',
    );
    try {
      await db.resume();
    } catch (error) {
      if (!(error instanceof DBError)) {
        throw error;
      }
      return false;
    }
    const found = fingerprintOf(db, this.workload.optionSet, names);
    const at = this.history.match(found, this.acknowledged, this.history.length, 'after resume');
    this.acknowledged = at;
    if (at === this.history.length) {
      await this.write([{ kind: 'put', family: 'default', key: 'after resume', value: new Uint8Array([1]) }]);
    }
    return true;
  }

  async close(): Promise<void> {
    const { db } = this;
    this.db = undefined;
    await db?.close().catch((error: unknown) => {
      if (!(error instanceof DBError)) {
        throw new Violation(`close fails with something that is no DBError: ${error}`, { cause: error });
      }
    });
  }

  /** Opens again and holds what is there to what was acknowledged; then the database must take writes. */
  async verify(): Promise<void> {
    await this.open();
    const names = Object.keys(this.workload.optionSet.families);
    const found = fingerprintOf(this.db!, this.workload.optionSet, names);
    this.history.match(found, this.acknowledged, this.history.length, 'after the reopen');
    await this.db!.put('last', 'write', { sync: true });
    await this.close();
  }

  private async open(): Promise<void> {
    this.db = await DB.open(DIRECTORY, openOptions(this.workload.optionSet, { env: this.env }));
  }

  private async step(step: Step): Promise<void> {
    const db = this.db!;
    switch (step.kind) {
      case 'write':
        await this.write(step.operations);
        break;
      case 'flush':
        await db.flush();
        break;
      case 'compact':
        await db.compactRange();
        break;
      case 'syncWal':
        await db.syncWal();
        break;
      case 'reopen':
        this.db = undefined;
        await db.close();
        await this.open();
        break;
      case 'snapshot':
        db.snapshot().release();
        break;
    }
  }

  private async write(operations: Operation[]): Promise<void> {
    const batch = new WriteBatch();
    for (const operation of operations) {
      addToBatch(batch, operation);
    }
    const number = this.history.push(operations);
    await this.db!.write(batch, { sync: this.random.oneIn(3) });
    this.acknowledged = number;
  }
}

/** Runs a workload with one fault. Throws `Violation`. */
export async function runWithFault(workload: FaultWorkload, faultCase: FaultCase): Promise<FaultOutcome> {
  const fileSystem = new FaultFileSystem(new MemoryFileSystem());
  const env = new Env({ fileSystem });
  const rule: FaultRule = faultCase;
  const active = fileSystem.inject(rule);
  const run = new FaultRun(workload, env);
  await withinTime(run.runUntilFailure(), 'the workload');
  const injected = active.injected > 0;
  fileSystem.clear();
  const resumed = run.surfaced !== undefined && (await withinTime(run.recoverInPlace(), 'resume'));
  await withinTime(run.close(), 'close');
  await withinTime(run.verify(), 'the reopen');
  await env.close();
  return { injected, surfaced: run.surfaced !== undefined, resumed };
}

async function withinTime<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Violation(`${what} hangs for ${HANG_MS} ms`)), HANG_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
