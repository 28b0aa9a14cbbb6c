/**
 * The harness must find what it is there to find. Method: the power-cut runs with one planted bug each, in the file
 * system or in the plans of compactions, until a violation shows; and the same without a bug, where none may.
 */

import { describe, expect, test, vi } from 'vitest';
import type * as planning from '../../compaction/plan-compaction.ts';
import { Random, seedFor } from '../support/random.ts';
import { FaultyFileSystem, type PlantedBug } from './faulty-file-system.ts';
import { Violation } from './history.ts';
import { CheckTotals, checkImage } from './image-check.ts';
import { PowerCutRun } from './power-cut-run.ts';
import { POWER_CUT_WORKLOADS } from './power-cut-workloads.ts';

/** The bug being looked for; the compaction planner below reads it, file systems get it when they are made. */
const planted = vi.hoisted(() => ({ dropsTombstonesEarly: false }));

/** A planner that forgets the older sorted runs: its jobs drop tombstones while what they hide lies deeper. */
vi.mock('../../compaction/plan-compaction.ts', async (importOriginal) => {
  const original = await importOriginal<typeof planning>();
  const planCompaction: typeof original.planCompaction = (...given) => {
    const plan = original.planCompaction(...given);
    return planted.dropsTombstonesEarly ? { ...plan, bottommost: true, deeperRanges: [] } : plan;
  };
  return { ...original, planCompaction };
});

const SEED = seedFor(31);
const STATES_MAX = 3000;
const TIMEOUT_MS = 5 * 60_000;
const FINDABLE: readonly PlantedBug[] = [
  { name: 'directories are never synced', forgetsDirectorySyncs: true },
  { name: 'the log is acknowledged before it is synced', forgetsSyncsOf: 'wal' },
  { name: 'the MANIFEST is not synced', forgetsSyncsOf: 'manifest' },
  { name: 'tables are not synced', forgetsSyncsOf: 'table' },
  { name: 'CURRENT is renamed before its data is synced', forgetsSyncsOf: 'temporary' },
  { name: 'a forgotten unref: a reference to replaced tables is never given back', keepsFiles: 'table' },
  { name: 'a tombstone is dropped too early', dropsTombstonesEarly: true },
];

/** The number of states checked until a violation was met, or undefined where none was. */
async function statesUntilViolation(bug: PlantedBug): Promise<number | undefined> {
  planted.dropsTombstonesEarly = bug.dropsTombstonesEarly === true;
  const totals = new CheckTotals();
  for (const workload of POWER_CUT_WORKLOADS) {
    const random = new Random(SEED);
    const { optionSet, extra = {} } = workload;
    const run = new PowerCutRun({
      label: workload.name,
      optionSet,
      random,
      extra,
      perCut: { synced: 1, ordered: 1, subset: 1, dirs: 1 },
      makeFileSystem: (options) => new FaultyFileSystem(options, bug),
    });
    try {
      await workload.run(run);
      await run.close();
    } catch (error) {
      expect(error).toBeInstanceOf(Violation);
      return totals.images;
    } finally {
      await run.abandon();
    }
    const step = Math.max(1, run.images.length / 200);
    for (let at = 0; at < run.images.length && totals.images < STATES_MAX; at += step) {
      try {
        await checkImage(run.images[Math.floor(at)]!, optionSet, extra, random, totals);
      } catch (error) {
        expect(error).toBeInstanceOf(Violation);
        return totals.images;
      }
    }
  }
  return undefined;
}

describe('planted bugs are found', () => {
  test.each(FINDABLE.map((bug) => [bug.name, bug] as const))(
    'R2 %s',
    async (_name, bug) => {
      const states = await statesUntilViolation(bug);
      expect(states, `states checked, at most ${STATES_MAX}`).toBeDefined();
      process.stdout.write(`planted: ${bug.name}: found after ${states} states\n`);
    },
    TIMEOUT_MS,
  );
});

test(
  'R2 a file system without a bug shows no violation',
  async () => {
    expect(await statesUntilViolation({ name: 'none' })).toBeUndefined();
  },
  TIMEOUT_MS,
);
