/**
 * Damaged write-ahead logs. Method: golden databases with a damaged log, opened in each recovery mode. With
 * `recoverToPoint` the answers are those of C++ RocksDB 7.8.3; by default damage with intact records behind it is an
 * error, and whatever is dropped is reported.
 */

import { describe, expect, test } from 'vitest';
import { DB, type Options } from '../../src/index.ts';
import { directoryFingerprint } from '../support/directory-hash.ts';
import { allFixtures, expectedRows, type Fixture, type FixtureRecoveryMode } from '../support/fixtures.ts';
import { expectRows } from '../support/read-database.ts';
import { temporaryCopy } from '../support/temporary-directory.ts';

const fixtures = allFixtures().filter((fixture) => fixture.description.recovery !== undefined);

const MODES: Record<FixtureRecoveryMode, NonNullable<Options['walRecoveryMode']>> = {
  'tolerate-corrupted-tail': 'tolerateCorruptedTailRecords',
  'absolute-consistency': 'absoluteConsistency',
  'point-in-time': 'pointInTime',
  'skip-any-corrupted': 'skipAnyCorruptedRecords',
};

/** Records that are intact, and were acknowledged, lie behind the damage: opening by default is an error. */
const DAMAGED_IN_THE_MIDDLE = new Set([
  'damaged-wal-crc-middle',
  'damaged-wal-first-of-two-crc',
  'damaged-wal-first-of-two-torn',
  'damaged-wal-length-middle',
  'damaged-wal-second-of-two-crc',
  'damaged-wal-zero-middle',
]);

/** Bytes are lost that no other WAL can account for, so the report must name them. */
const DROPS_BYTES = new Set(['damaged-wal-crc-last', 'damaged-wal-torn-header', 'damaged-wal-torn-payload']);

async function expectOpens(path: string, rows: Map<string, string[]>, options: Options): Promise<number> {
  await using db = await DB.open(path, options);
  for (const [family, familyRows] of rows) {
    await expectRows(db.columnFamily(family), familyRows);
  }
  return db.recovery.droppedBytes;
}

const cases = fixtures.flatMap((fixture) =>
  (Object.keys(MODES) as FixtureRecoveryMode[]).map((mode) => [`${fixture.name} ${mode}`, fixture, mode] as const),
);

describe('with recoverToPoint the answer is that of C++ RocksDB', () => {
  test.each(cases)('R4 %s', async (_name, fixture, mode) => {
    for (const readOnly of [true, false]) {
      using copy = temporaryCopy(fixture.path);
      const options: Options = { readOnly, walRecoveryMode: MODES[mode], walCorruption: 'recoverToPoint' };
      if (fixture.description.recovery?.[mode].ok) {
        await expectOpens(copy.path, expectedRows(fixture, mode), options);
      } else {
        const before = directoryFingerprint(copy.path).filter((line) => /\.(log|sst) /.test(line));
        await expect(DB.open(copy.path, options)).rejects.toMatchObject({ code: 'CORRUPTION' });
        expect(directoryFingerprint(copy.path)).toEqual(expect.arrayContaining(before));
      }
    }
  });
});

describe('by default damage in the middle is an error and a torn tail is reported', () => {
  test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))('R4 %s', async (_name, fixture: Fixture) => {
    using copy = temporaryCopy(fixture.path);
    if (DAMAGED_IN_THE_MIDDLE.has(fixture.name)) {
      // The message names the damaged file; nothing is lost by having tried.
      const before = directoryFingerprint(copy.path).filter((line) => /\.(log|sst) /.test(line));
      await expect(DB.open(copy.path)).rejects.toMatchObject({
        code: 'CORRUPTION',
        message: expect.stringMatching(/\d{6}\.log/),
      });
      expect(directoryFingerprint(copy.path)).toEqual(expect.arrayContaining(before));
      return;
    }
    const dropped = await expectOpens(copy.path, expectedRows(fixture, 'point-in-time'), {});
    if (DROPS_BYTES.has(fixture.name)) {
      expect(dropped).toBeGreaterThan(0);
    }
    // What was dropped is gone for good: the next open has nothing to report and the same rows.
    expect(await expectOpens(copy.path, expectedRows(fixture, 'point-in-time'), {})).toBe(0);
  });
});
