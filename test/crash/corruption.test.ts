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
const TIMEOUT_MS = 20 * 60_000;

const SETS = [
  'tiny levels',
  'snappy, bloom',
  'zstd, partitioned',
  'lz4, xxHash64, version 4',
  'hash index in data blocks, restart 128',
];
const totals = new SweepTotals();

/** A small database with tables, a log that is not flushed, and a MANIFEST of several records. */
async function makeVictim(setName: string): Promise<Victim> {
  const optionSet = OPTION_SETS.find((set) => set.name === setName)!;
  const fileSystem = new MemoryFileSystem();
  const env = new Env({ fileSystem });
  const history = new History(optionSet);
  const stream = new OperationStream(optionSet, SEED, 40);
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
  return { name: setName, optionSet, history, files: readFiles(fileSystem) };
}

test.each(SETS)(
  'R4 S44 damage of a database is detected, harmless or reported: %s',
  async (setName) => {
    const victim = await makeVictim(setName);
    const random = new Random(SEED);
    expect([...victim.files.keys()].filter((name) => name.endsWith('.sst')).length).toBeGreaterThan(0);
    const share = Math.ceil(MUTATIONS / SETS.length / victim.files.size);
    for (const [file, bytes] of victim.files) {
      for (const mutation of mutationsOf(file, bytes, share, random)) {
        await tryMutation(victim, mutation, totals);
      }
    }
  },
  TIMEOUT_MS,
);

afterAll(() => {
  const { mutations, detected, harmless, reported, cutBetweenRecords } = totals;
  process.stdout.write(
    `corruptions: ${mutations} mutations: ${detected} detected, ${harmless} harmless, ${reported} reported, ` +
      `${cutBetweenRecords} cut between records, seed ${SEED}\n`,
  );
});
