/**
 * Simulated power cuts at every change of the file system, in four models of what a disk may hold afterwards. Method:
 * workloads run in memory, images are taken and opened. PUMICE_POWER_CUTS sets how many different states are checked.
 */

import { afterAll, describe, expect, test } from 'vitest';
import { Random, seedFor } from '../support/random.ts';
import { CheckTotals, checkImage } from './image-check.ts';
import { type ImagesPerCut, PowerCutRun } from './power-cut-run.ts';
import { POWER_CUT_WORKLOADS, type PowerCutWorkload } from './power-cut-workloads.ts';

const STATES = Number(process.env.PUMICE_POWER_CUTS ?? 20_000);
const SEED = seedFor(21);
const TIMEOUT_MS = 20 * 60_000;
const PER_CUT: ImagesPerCut = { synced: 1, ordered: 2, subset: 2, dirs: 1 };

const totals = new CheckTotals();
const share = Math.ceil(STATES / POWER_CUT_WORKLOADS.length);

/** Runs the workload with one seed after the other until its share of states is checked. */
async function cutEverywhere(workload: PowerCutWorkload): Promise<void> {
  const stopAt = totals.images + share;
  for (let round = 0; totals.images < stopAt; round++) {
    const random = new Random(SEED + round);
    const { optionSet, extra = {} } = workload;
    const run = new PowerCutRun({
      label: `${workload.name}, seed ${SEED + round}`,
      optionSet,
      random,
      extra,
      perCut: PER_CUT,
    });
    try {
      await workload.run(run);
    } finally {
      await run.abandon();
    }
    // Too many for one share: an even part of them, so that every stretch of the workload is cut.
    const left = stopAt - totals.images;
    const step = Math.max(1, run.images.length / left);
    for (let at = 0; at < run.images.length; at += step) {
      await checkImage(run.images[Math.floor(at)]!, optionSet, extra, random, totals);
    }
  }
}

describe('S40 S42 a power cut takes nothing that was promised', () => {
  test.each(POWER_CUT_WORKLOADS.map((workload) => [workload.name, workload] as const))(
    'R2 %s',
    async (name, workload) => {
      await cutEverywhere(workload).catch((error: unknown) => {
        const repeat = `PUMICE_SEED=${SEED} npx vitest run test/crash/power-cut.test.ts -t '${name}'`;
        throw new Error(`${error}\nrepeat: ${repeat}`, { cause: error });
      });
    },
    TIMEOUT_MS,
  );
});

test('enough different states were met, second cuts among them', () => {
  expect(totals.images).toBeGreaterThanOrEqual(STATES);
  expect(totals.secondOrder).toBeGreaterThan(0);
});

afterAll(() => {
  const { images, secondOrder, continued, refusedGaps } = totals;
  process.stdout.write(
    `power cuts: ${images} states, ${secondOrder} of them cut again in recovery, ${continued} continued, ` +
      `${refusedGaps} with a gap in an unsynced log refused and then opened to the point, seed ${SEED}\n`,
  );
});
