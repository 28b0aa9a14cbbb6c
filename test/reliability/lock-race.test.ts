/**
 * Many processes race to open one database, round after round: exactly one wins each, all others are told `LOCKED`, and what
 * winners wrote is there in the end. Method: real processes that wait for one word; every fourth winner is killed while it
 * holds the lock. PUMICE_LOCK_PROCESSES is their number, PUMICE_LOCK_ROUNDS how often they meet.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { DB } from '../../src/index.ts';
import { compileSources } from '../support/compiled-sources.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PROCESSES = Number(process.env.PUMICE_LOCK_PROCESSES ?? 60);
const ROUNDS = Number(process.env.PUMICE_LOCK_ROUNDS ?? 20);
const TIMEOUT_MS = 2 * 60_000 + PROCESSES * 5000 + ROUNDS * PROCESSES * 100;
const RACER = 'test/reliability/lock-racer';
/** As many start at once; more only take each other's time. */
const STARTING_MAX = 8;

let won = 0;
let refused = 0;
let killed = 0;

/** One process, and the lines it prints. */
class Racer {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(program: string, directory: string) {
    this.process = spawn(process.execPath, [program, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  say(line: string): void {
    this.process.stdin!.write(`${line}\n`);
  }

  async line(): Promise<string> {
    const next = await this.lines.next();
    return next.done === true ? 'ended' : next.value;
  }

  async end(signal?: 'SIGKILL'): Promise<void> {
    const exited = once(this.process, 'exit');
    if (signal === undefined) {
      this.process.stdin!.end();
    } else {
      this.process.kill(signal);
    }
    await exited;
  }
}

async function startAll(program: string, directory: string): Promise<Racer[]> {
  const racers: Racer[] = [];
  while (racers.length < PROCESSES) {
    const count = Math.min(STARTING_MAX, PROCESSES - racers.length);
    const next = Array.from({ length: count }, () => new Racer(program, directory));
    expect(await Promise.all(next.map((racer) => racer.line()))).toEqual(next.map(() => 'ready'));
    racers.push(...next);
  }
  return racers;
}

/** One race. Gives the racers that are left. */
async function race(racers: readonly Racer[], round: number): Promise<Racer[]> {
  for (const racer of racers) {
    racer.say(`round ${round}`);
  }
  const answers = await Promise.all(racers.map((racer) => racer.line()));
  const winners = racers.filter((_, index) => answers[index] === 'won');
  const others = answers.filter((answer) => answer !== 'won');
  expect(winners.length, `winners of round ${round}: ${answers}`).toBe(1);
  expect(others, `round ${round}`).toEqual(others.map(() => 'LOCKED'));
  won++;
  refused += others.length;
  const winner = winners[0]!;
  if (round % 4 === 3 && racers.length > 2) {
    await winner.end('SIGKILL');
    killed++;
    return racers.filter((racer) => racer !== winner);
  }
  winner.say('close');
  expect(await winner.line()).toBe('closed');
  return [...racers];
}

test(
  'R15 of many processes that open one database exactly one wins each round, killed winners included',
  async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'db');
    compileSources(join(directory.path, 'compiled'), [`${RACER}.ts`]);
    let racers = await startAll(join(directory.path, `compiled/${RACER}.js`), path);
    try {
      for (let round = 0; round < ROUNDS; round++) {
        racers = await race(racers, round);
      }
    } finally {
      await Promise.all(racers.map((racer) => racer.end()));
    }
    await using db = await DB.open(path);
    for (let round = 0; round < ROUNDS; round++) {
      expect(await db.get(`round ${round}`), `the mark of round ${round}`).toBeDefined();
    }
  },
  TIMEOUT_MS,
);

afterAll(() => {
  process.stdout.write(
    `lock: ${PROCESSES} processes, ${won} rounds with one winner, ${refused} refused, ${killed} killed\n`,
  );
});
