/**
 * A process that owns a database is killed again and again, at random instants, in the middle of recovery and at every
 * named point between file-system calls; another process judges what is left. Method: `kill-child.ts` writes and tells,
 * `kill-cycle.ts` kills and judges. PUMICE_KILL_CYCLES sets the number of lives.
 */

import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { OPTION_SETS } from '../model/option-sets.ts';
import { Random, seedFor } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { KillLoop, type KillMoment } from './kill-cycle.ts';
import { WRITE_MODES } from './kill-protocol.ts';

const CYCLES = Number(process.env.PUMICE_KILL_CYCLES ?? 120);
const SEED = seedFor(11);
const TIMEOUT_MS = 15 * 60_000;

const SETS = ['tiny memtable', 'tiny levels', 'zstd, partitioned', 'atomic flush'];
/** The first ones happen only while a database is being created: they are dealt to the first lives. */
const CHANGING_CALLS = [
  'rename:identity',
  ...['create:wal', 'append:wal', 'sync:wal', 'unlink:wal'],
  ...['create:table', 'append:table', 'sync:table', 'close:table', 'unlink:table'],
  ...['create:manifest', 'append:manifest', 'sync:manifest', 'unlink:manifest'],
  ...['create:temporary', 'append:temporary', 'sync:temporary', 'rename:current', 'rename:options', 'unlink:options'],
  'directory-sync:other',
];
const POINTS = CHANGING_CALLS.flatMap((call) => [`before:${call}`, `after:${call}`]);

const fired = new Set<string>();
let cycles = 0;
let kills = 0;
let writes = 0;

/** Deals the named points out in turns, random instants between them. */
function nextMoment(random: Random, number: number, isNew: boolean): KillMoment {
  const point = POINTS[Math.floor(number / 2) % POINTS.length]!;
  // Only a database that is being created renames its identity into place.
  if (number % 2 === 0 || (point.endsWith('identity') && !isNew)) {
    return random.oneIn(3)
      ? { kind: 'during-open', delayMs: random.between(0, 60) }
      : random.oneIn(2)
        ? { kind: 'after-acknowledgement', count: random.between(1, 300) }
        : { kind: 'after-open', delayMs: random.between(5, 400) };
  }
  return {
    kind: 'at-point',
    killAt: { point, odds: isNew ? 1 : random.pick([1, 1, 2, 5]), seed: random.nextUint32() },
  };
}

const loops = SETS.flatMap((set) => WRITE_MODES.map((mode) => ({ set, mode })));

describe('S71 killed processes lose nothing they acknowledged', () => {
  test.each(loops.map((loop, index) => [`${loop.set}, ${loop.mode}`, loop, index] as const))(
    'R1 %s',
    async (_name, { set, mode }, index) => {
      const random = new Random(SEED + index);
      using directory = temporaryDirectory();
      const optionSet = OPTION_SETS.find((each) => each.name === set)!;
      const loop = new KillLoop(join(directory.path, 'db'), optionSet, mode, SEED + index);
      for (let i = 0; i < Math.ceil(CYCLES / loops.length); i++) {
        const moment = nextMoment(random, index + i * loops.length, i === 0);
        const outcome = await loop.cycle(moment, random).catch((error: unknown) => {
          const repeat = `PUMICE_SEED=${SEED} npx vitest run test/crash/kill.test.ts -t '${set}, ${mode}'`;
          throw new Error(`${error}\nlife ${i}, ${JSON.stringify(moment)}; repeat: ${repeat}`, { cause: error });
        });
        cycles++;
        writes += outcome.issued;
        if (!outcome.closed) {
          kills++;
          if (moment.kind === 'at-point') {
            fired.add(moment.killAt.point);
          }
        }
      }
    },
    TIMEOUT_MS,
  );
});

test('most lives end by a kill', () => {
  expect(kills).toBeGreaterThan(cycles / 2);
});

afterAll(() => {
  const text = `${cycles} lives, ${kills} kills, ${writes} writes, ${fired.size} of ${POINTS.length} named points, seed ${SEED}`;
  process.stdout.write(`kill: ${text}\n`);
});
