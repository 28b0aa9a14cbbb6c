/**
 * `unsafe_remove_sst_file`: what a database is without one of its tables. Method: the C++ tool removes a table from one copy of a
 * golden database, ours from another; both must then hold the same.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB } from '../../src/index.ts';
import { ldb } from '../../tools/ldb/ldb.ts';
import { directoryFingerprint } from '../support/directory-hash.ts';
import { rocksdbToolsInstalled } from '../support/rocksdb-tools.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryCopy, temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess } from './run-in-process.ts';
import { runReference } from './session.ts';

const fixture = (name: string): string => join(PROJECT_ROOT, 'test/fixtures', name, 'db');

/** Several levels, families of two comparators, tracked logs, range tombstones, and a single table. */
const FIXTURES = ['level-compacted', 'column-families', 'wal-tracked', 'range-del-compacted', 'fv5'];

async function numbersIn(path: string): Promise<number[]> {
  const listed = await runInProcess(ldb, [`--db=${path}`, 'list_live_files_metadata', '--json']);
  const rows = listed.out.split('\n').filter((line) => line !== '');
  return rows.map((line) => Number(/\/(\d+)\.\w+$/.exec((JSON.parse(line) as { path: string }).path)![1]));
}

function held(path: string): string {
  const looks = [['list_live_files_metadata'], ['scan', '--hex'], ['idump', '--hex'], ['list_column_families']];
  return looks
    .map((look) => {
      const { code, out } = runReference('ldb', [`--db=${path}`, ...look], '');
      return `${code} ${out.replaceAll(path, '$DB')}`;
    })
    .join('\n');
}

describe.skipIf(!rocksdbToolsInstalled())('beside the C++ tool', () => {
  for (const name of FIXTURES) {
    test(`without one of its tables ${name} holds the same, whoever removed it`, async () => {
      const numbers = await numbersIn(fixture(name));
      for (const number of new Set([numbers[0]!, numbers.at(-1)!])) {
        using theirs = temporaryCopy(fixture(name));
        using ours = temporaryCopy(fixture(name));
        const args = (path: string): string[] => [`--db=${path}`, 'unsafe_remove_sst_file', String(number)];
        expect(runReference('ldb', args(theirs.path), '')).toMatchObject({ code: 0 });
        expect(await runInProcess(ldb, args(ours.path))).toEqual({
          code: 0,
          out: '',
          err: 'unsafely removed SST file\n',
        });
        expect(await numbersIn(ours.path)).toEqual(numbers.filter((other) => other !== number));
        expect(held(ours.path)).toBe(held(theirs.path));
      }
    });
  }
});

test('a database whose table is gone opens again without it', async () => {
  using copy = temporaryCopy(fixture('level-compacted'));
  const [gone, ...left] = await numbersIn(copy.path);
  rmSync(join(copy.path, `${String(gone).padStart(6, '0')}.sst`));
  const db = `--db=${copy.path}`;
  expect(await runInProcess(ldb, [db, 'scan'])).toMatchObject({ code: 1 });
  expect(await runInProcess(ldb, [db, 'unsafe_remove_sst_file', String(gone)])).toMatchObject({ code: 0 });
  expect(await runInProcess(ldb, [db, 'checkconsistency'])).toEqual({ code: 0, out: 'OK\n', err: '' });
  expect(await numbersIn(copy.path)).toEqual(left);
  expect(await runInProcess(ldb, [db, 'put', 'later', '1'])).toMatchObject({ code: 0, out: 'OK\n' });
});

test("a table of LevelDB's is removed too, where the C++ tool aborts", async () => {
  using copy = temporaryCopy(fixture('leveldb'));
  const [gone, ...left] = await numbersIn(copy.path);
  const args = [`--db=${copy.path}`, 'unsafe_remove_sst_file', String(gone)];
  expect(await runInProcess(ldb, args)).toEqual({ code: 0, out: '', err: 'unsafely removed SST file\n' });
  expect(await numbersIn(copy.path)).toEqual(left);
  expect(await runInProcess(ldb, [`--db=${copy.path}`, 'checkconsistency'])).toMatchObject({ code: 0, out: 'OK\n' });
});

test('a database that is open is refused and left as it is', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  await using db = await DB.open(path, { createIfMissing: true });
  await db.put('a', '1');
  await db.flush();
  const files = (): string[] => directoryFingerprint(path).filter((line) => !line.startsWith('LOG '));
  const before = files();
  const [number] = await numbersIn(path);
  const refused = await runInProcess(ldb, [`--db=${path}`, 'unsafe_remove_sst_file', String(number)]);
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/^Failed: failed to unsafely remove SST file: IO error: .*lock.*\/LOCK: /);
  expect(files()).toEqual(before);
});

test('tables of a comparator that is not built in are left alone, with the reason', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  const compare = (a: Uint8Array, b: Uint8Array): number => b.length - a.length || Buffer.compare(a, b);
  const db = await DB.open(path, { createIfMissing: true, comparator: { name: 'by length', compare } });
  await db.put('a', '1');
  await db.flush();
  const { fileNumber } = db.getLiveFilesMetaData()[0]!;
  await db.close();
  const before = directoryFingerprint(path);
  const refused = await runInProcess(ldb, [`--db=${path}`, 'unsafe_remove_sst_file', String(fileNumber)]);
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toMatch(/^Failed: failed to .*: Invalid argument: .*comparator by length is not built in\n$/);
  expect(directoryFingerprint(path)).toEqual(before);
});
