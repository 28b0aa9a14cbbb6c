/**
 * Damage of every file of a database: every bit of small files, truncations, zeroed and swapped sectors. Method: small
 * databases of several shapes in memory, one mutation at a time; detected, harmless or reported, never silent and never
 * wrong. PUMICE_CORRUPTIONS sets how many mutations are tried.
 */

import { afterAll, expect, test } from 'vitest';
import { MemoryFileSystem } from '../../src/env/memory-file-system.ts';
import { DB, Env, WriteBatch } from '../../src/index.ts';
import { addToBatch } from '../model/operation.ts';
import { OPTION_SETS, openOptions } from '../model/option-sets.ts';
import { Random, seedFor } from '../support/random.ts';
import { mutationsOf, readFiles, SweepTotals, tryMutation, type Victim } from './corruption-sweep.ts';
import { History } from './history.ts';
import { OperationStream } from './operation-stream.ts';

const MUTATIONS = Number(process.env.PUMICE_CORRUPTIONS ?? 60_000);
const SEED = seedFor(51);
/** Ten times what a mutation takes on a slow machine. */
const TIMEOUT_MS = Math.max(20 * 60_000, MUTATIONS * 50);

const SETS = [
  'tiny levels',
  'snappy, bloom',
  'zstd, partitioned',
  'lz4, xxHash64, version 4',
  'hash index in data blocks, restart 128',
];
const totals = new SweepTotals();

/** A small database with tables, a log that is not flushed, and a MANIFEST of several records. */
async function makeVictim(setName: string, seed: number): Promise<Victim> {
  const optionSet = OPTION_SETS.find((set) => set.name === setName)!;
  const fileSystem = new MemoryFileSystem();
  const env = new Env({ fileSystem });
  const history = new History(optionSet);
  const stream = new OperationStream(optionSet, seed, 40);
  {
    await using db = await DB.open('/db', openOptions(optionSet, { env }));
    for (let writes = 0; writes < 60; ) {
      const step = stream.next();
      if (step.kind !== 'write') {
        continue;
      }
      // One large value would make most of the bits those of one block.
      const operations = step.operations.slice(0, 5).filter((each) => !('value' in each) || each.value.length < 2000);
      if (operations.length === 0) {
        continue;
      }
      const batch = new WriteBatch();
      for (const operation of operations) {
        addToBatch(batch, operation);
      }
      history.push(operations);
      await db.write(batch);
      if (++writes % 25 === 0) {
        await db.flush();
      }
    }
  }
  await env.close();
  return { name: `${setName}, seed ${seed}`, optionSet, history, files: readFiles(fileSystem) };
}

/** Tries `limit` mutations, or all there are. Small files have fewer than their share: what is left goes to the larger. */
async function damage(victim: Victim, limit: number, random: Random): Promise<void> {
  const files = [...victim.files].sort(([, a], [, b]) => a.length - b.length);
  const stopAt = totals.mutations + limit;
  for (const [index, [file, bytes]] of files.entries()) {
    if (totals.mutations >= stopAt) {
      return;
    }
    const share = Math.ceil((stopAt - totals.mutations) / (files.length - index));
    for (const mutation of mutationsOf(file, bytes, share, random)) {
      await tryMutation(victim, mutation, totals);
    }
  }
}

test.each(SETS)(
  'R4 S44 damage of a database is detected, harmless or reported: %s',
  async (setName) => {
    const random = new Random(SEED);
    const stopAt = totals.mutations + Math.ceil(MUTATIONS / SETS.length);
    for (let round = 0; totals.mutations < stopAt; round++) {
      const victim = await makeVictim(setName, SEED + round);
      expect([...victim.files.keys()].filter((name) => name.endsWith('.sst')).length).toBeGreaterThan(0);
      await damage(victim, stopAt - totals.mutations, random);
    }
  },
  TIMEOUT_MS,
);

test('R4 as many mutations were tried as asked for', () => {
  expect(totals.mutations).toBeGreaterThanOrEqual(MUTATIONS);
});

afterAll(() => {
  const { mutations, detected, harmless, reported, cutBetweenRecords } = totals;
  process.stdout.write(
    `corruptions: ${mutations} mutations: ${detected} detected, ${harmless} harmless, ${reported} reported, ` +
      `${cutBetweenRecords} cut between records, seed ${SEED}\n`,
  );
});
