/**
 * Every golden database, opened by Pumice. Method: copy it, open it, read every family in every way, compare with what
 * the C++ library reads; then let the C++ tools read what our read-write open and close left behind.
 */

import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DB, type Options } from '../../src/index.ts';
import { directoryFingerprint } from '../support/directory-hash.ts';
import { allFixtures, expectedRows, type Fixture } from '../support/fixtures.ts';
import { expectRows } from '../support/read-database.ts';
import { expectConsistent, expectTablesSound, ldbScan, rocksdbToolsInstalled } from '../support/rocksdb-tools.ts';
import { temporaryCopy } from '../support/temporary-directory.ts';

const toolsInstalled = rocksdbToolsInstalled();
const fixtures = allFixtures().filter((fixture) => fixture.description.recovery === undefined);
const readable = fixtures.filter((fixture) => !fixture.name.startsWith('opt-'));
const refused = fixtures.filter((fixture) => fixture.name.startsWith('opt-'));

/** What a refusal must name. */
const REFUSED_FEATURE: Record<string, RegExp> = {
  'opt-blob-files': /blob/i,
  'opt-wide-columns': /wide.?column|entity/i,
};

/** The name of a fixture's test, with the row of the specification that it belongs to. */
function rowOf(fixture: Fixture): string {
  return `${fixture.name.startsWith('leveldb') ? 'S16' : 'R8'} ${fixture.name}`;
}

async function expectDatabase(path: string, fixture: Fixture, options: Options): Promise<void> {
  await using db = await DB.open(path, options);
  for (const [family, rows] of expectedRows(fixture)) {
    await expectRows(db.columnFamily(family), rows);
  }
  expect(db.recovery.droppedBytes).toBe(0);
}

test('all golden databases are here', () => {
  expect(allFixtures().length).toBe(107);
});

describe('S15 a read-write open reads what the C++ library reads', () => {
  test.each(readable.map((fixture) => [rowOf(fixture), fixture] as const))('%s', async (_name, fixture) => {
    using copy = temporaryCopy(fixture.path);
    await expectDatabase(copy.path, fixture, {});
    // Again: what the first open and close rewrote must give the same rows.
    await expectDatabase(copy.path, fixture, {});
    // 7.8.3 cannot read tables of newer format versions, and of merge operands it knows only built-in operators.
    if (toolsInstalled && !fixture.name.startsWith('modern-')) {
      for (const [family, rows] of expectedRows(fixture)) {
        expect(ldbScan(copy.path, family), `family ${family} read by ldb after our open and close`).toEqual(rows);
      }
      expectConsistent(copy.path);
      expectTablesSound(copy.path);
    }
  });
});

test('S15 there is a database that this version of Pumice wrote, or an earlier one', () => {
  const written = allFixtures().filter(({ name }) => /^db-v\d/.test(name));
  expect(written.map(({ name, description }) => [name, description.writer])).toContainEqual([
    'db-v0.1.0',
    'Pumice 0.1.0',
  ]);
  for (const { description } of written) {
    for (const { name, entries } of description.columnFamilies!) expect(entries, name).toBeGreaterThan(50);
  }
});

describe('S15 a full compaction keeps what the C++ library reads', () => {
  test.each(readable.map((fixture) => [rowOf(fixture), fixture] as const))('%s', async (_name, fixture) => {
    using copy = temporaryCopy(fixture.path);
    {
      await using db = await DB.open(copy.path);
      for (const family of expectedRows(fixture).keys()) {
        await db.columnFamily(family).compactRange();
      }
      for (const [family, rows] of expectedRows(fixture)) {
        await expectRows(db.columnFamily(family), rows);
      }
    }
    await expectDatabase(copy.path, fixture, {});
    if (toolsInstalled && !fixture.name.startsWith('modern-')) {
      for (const [family, rows] of expectedRows(fixture)) {
        expect(ldbScan(copy.path, family), `family ${family} read by ldb after our compaction`).toEqual(rows);
      }
      expectConsistent(copy.path);
      expectTablesSound(copy.path);
    }
  });
});

describe('a read-only open reads the same and changes nothing', () => {
  test.each(readable.map((fixture) => [fixture.name, fixture] as const))('S62 %s', async (_name, fixture) => {
    using copy = temporaryCopy(fixture.path);
    const before = directoryFingerprint(copy.path);
    chmodSync(copy.path, 0o500);
    try {
      await expectDatabase(copy.path, fixture, { readOnly: true });
    } finally {
      chmodSync(copy.path, 0o700);
    }
    expect(directoryFingerprint(copy.path)).toEqual(before);
  });
});

describe('what is out of scope is refused by name, and nothing is changed', () => {
  test.each(refused.map((fixture) => [fixture.name, fixture] as const))('%s', async (_name, fixture) => {
    for (const options of [{}, { readOnly: true }]) {
      using copy = temporaryCopy(fixture.path);
      const files = directoryFingerprint(copy.path);
      const refusal = expect.objectContaining({
        code: 'NOT_SUPPORTED',
        message: expect.stringMatching(REFUSED_FEATURE[fixture.name] ?? /./),
      });
      await expect(openAndScan(copy.path, options)).rejects.toEqual(refusal);
      const kept = directoryFingerprint(copy.path);
      expect(kept).toEqual(expect.arrayContaining(files.filter((line) => /\.(sst|blob)/.test(line))));
    }
  });
});

/** Some features show only in the entries: a refusal may come from the scan. */
async function openAndScan(path: string, options: Options): Promise<void> {
  await using db = await DB.open(path, options);
  for await (const row of db.entries()) {
    expect(row.length).toBe(2);
  }
}

test('R8 the families of every database are listed', async () => {
  for (const fixture of readable.filter((each) => (each.description.columnFamilies ?? []).length > 1)) {
    const names = fixture.description.columnFamilies?.map((family) => family.name) ?? [];
    expect((await DB.listColumnFamilies(fixture.path)).sort()).toEqual(names.sort());
  }
});
