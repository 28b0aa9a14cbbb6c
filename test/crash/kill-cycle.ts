/** One life of the process that dies, as the judging process sees it: start it, kill it, and hold what is left to its word. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { KillPoint } from '../../src/env/fault-injection-file-system.ts';
import { DB } from '../../src/index.ts';
import { type OptionSet, openOptions } from '../model/option-sets.ts';
import type { Random } from '../support/random.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { fingerprintOf, History, Violation } from './history.ts';
import { type ChildEvent, type ChildOrders, parseEvent, type WriteMode } from './kill-protocol.ts';
import { expectNoLeftovers } from './leftover-files.ts';
import { OperationStream } from './operation-stream.ts';

const CHILD = fileURLToPath(new URL('./kill-child.ts', import.meta.url));
/** A child that lives so long hangs, and that is a failure too. */
const HANG_MS = 60_000;

/** When the child is killed. */
export type KillMoment =
  | { kind: 'after-open'; delayMs: number }
  | { kind: 'after-acknowledgement'; count: number }
  | { kind: 'during-open'; delayMs: number }
  | { kind: 'at-point'; killAt: KillPoint };

/** What came of one life. */
export interface CycleOutcome {
  /** The state that was found, and what was promised at the moment of death. */
  found: number;
  acknowledged: number;
  issued: number;
  /** It ended by itself before the moment came. */
  closed: boolean;
}

/** What the judge knows of one child. */
class Witness {
  issued = 0;
  private acknowledgedUpTo = 0;
  private readonly early = new Set<number>();
  durable = 0;
  closed = false;
  private readonly listeners: ((event: ChildEvent) => void)[] = [];

  onEvent(listener: (event: ChildEvent) => void): void {
    this.listeners.push(listener);
  }

  hear(event: ChildEvent): void {
    switch (event.kind) {
      case 'begun':
        this.issued = event.number;
        break;
      case 'acknowledged':
        this.early.add(event.number);
        while (this.early.delete(this.acknowledgedUpTo + 1)) {
          this.acknowledgedUpTo++;
        }
        break;
      case 'durable':
        this.durable = Math.max(this.durable, event.number);
        break;
      case 'closed':
        this.closed = true;
        break;
      case 'starting':
      case 'open':
        break;
    }
    for (const listener of this.listeners) {
      listener(event);
    }
  }

  /** The last write that a killed process must not lose. An acknowledgement covers every write issued before it. */
  least(mode: WriteMode): number {
    const acknowledged = Math.max(this.acknowledgedUpTo, ...this.early);
    return mode === 'manualWalFlush' ? this.durable : Math.max(acknowledged, this.durable);
  }
}

/** A database that is killed again and again, and what it must hold. */
export class KillLoop {
  private history: History;
  private readonly path: string;
  private readonly optionSet: OptionSet;
  private readonly mode: WriteMode;
  private readonly seed: number;
  private cycles = 0;

  constructor(path: string, optionSet: OptionSet, mode: WriteMode, seed: number) {
    this.path = path;
    this.optionSet = optionSet;
    this.mode = mode;
    this.seed = seed;
    this.history = new History(optionSet);
  }

  /** One life and its judgement. Throws `Violation`. */
  async cycle(moment: KillMoment, random: Random): Promise<CycleOutcome> {
    const cycleSeed = this.seed * 1000 + this.cycles++;
    const orders: ChildOrders = {
      path: this.path,
      optionSet: this.optionSet.name,
      mode: this.mode,
      seed: cycleSeed,
      inFlight: random.pick([1, 1, 8, 40]),
      steps: 1500,
      ...(moment.kind === 'at-point' ? { killAt: moment.killAt } : {}),
    };
    const witness = new Witness();
    await runChild(orders, moment, witness);
    // What the child was told to write, regenerated from the same seed: only the numbers came over the pipe.
    const stream = new OperationStream(this.optionSet, cycleSeed);
    while (this.history.length < witness.issued) {
      const step = stream.next();
      if (step.kind === 'write') {
        this.history.push(step.operations);
      }
    }
    const least = witness.least(this.mode);
    const found = await this.judge(least, witness.issued);
    this.history = new History(this.optionSet, { history: this.history, at: found });
    return { found, acknowledged: least, issued: witness.issued, closed: witness.closed };
  }

  /** Opens what is left, without and with writing, and finds the write it stands after. */
  private async judge(least: number, most: number): Promise<number> {
    if (!existsSync(`${this.path}/CURRENT`) && most === 0) {
      return 0;
    }
    const readOnly = await this.fingerprint(true);
    const found = this.history.match(readOnly, least, most, 'read-only open');
    const recovered = await this.fingerprint(false);
    if (recovered !== readOnly) {
      this.history.match(recovered, found, found, 'read-write open after the read-only one');
    }
    return found;
  }

  private async fingerprint(readOnly: boolean): Promise<string> {
    const existing = await DB.listColumnFamilies(this.path);
    if (readOnly && existing.length < Object.keys(this.optionSet.families).length) {
      // Killed while its families were being made: nothing was written yet, and a read-only open cannot make them.
      return new History(this.optionSet).fingerprintAt(0);
    }
    await using db = await DB.open(this.path, openOptions(this.optionSet, { readOnly }));
    if (!readOnly) {
      await expectNoLeftovers(db, () => readdirSync(this.path), 'after a reopen');
    }
    return fingerprintOf(db, this.optionSet, Object.keys(this.optionSet.families));
  }
}

async function runChild(orders: ChildOrders, moment: KillMoment, witness: Witness): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(orders)], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr?.on('data', (data: Buffer) => {
    complaint += data.toString();
  });
  armKill(child, moment, witness);
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
  let hung = false;
  const alarm = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, HANG_MS);
  await readEvents(child, witness);
  const signal = await ended;
  clearTimeout(alarm);
  if (hung) {
    throw new Violation(`the child did not come to an end within ${HANG_MS} ms`);
  }
  if (signal !== 'SIGKILL' && !witness.closed) {
    throw new Violation(`the child failed by itself: ${complaint.slice(0, 2000)}`);
  }
}

function armKill(child: ChildProcess, moment: KillMoment, witness: Witness): void {
  const killIn = (delayMs: number): void => {
    setTimeout(() => child.kill('SIGKILL'), delayMs);
  };
  let acknowledgements = 0;
  witness.onEvent((event) => {
    if (moment.kind === 'during-open' && event.kind === 'starting') {
      killIn(moment.delayMs);
    } else if (moment.kind === 'after-open' && event.kind === 'open') {
      killIn(moment.delayMs);
    } else if (moment.kind === 'after-acknowledgement' && event.kind === 'acknowledged') {
      acknowledgements++;
      if (acknowledgements === moment.count) {
        child.kill('SIGKILL');
      }
    }
  });
}

/** Reads lines until the pipe ends, which is when the child is dead and all it said has arrived. */
async function readEvents(child: ChildProcess, witness: Witness): Promise<void> {
  const pipe = child.stdio[3];
  let rest = '';
  for await (const chunk of pipe as NodeJS.ReadableStream) {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = parseEvent(line);
      if (event !== undefined) {
        witness.hear(event);
      }
    }
  }
}
