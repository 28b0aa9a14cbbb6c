/**
 * C++ RocksDB 7.8.3 reads what Pumice writes. Method: seeded random databases over every option that shapes a file;
 * ldb must find them consistent and give exactly our rows, sst_dump every table sound, and ldb must be able to write
 * into and compact a copy; then Pumice reads what ldb wrote.
 */

import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DB, type Options } from '../../src/index.ts';
import { toBinary } from '../model/key-space.ts';
import type { FamilyView } from '../model/model-family.ts';
import { ModelRun } from '../model/model-run.ts';
import { OPTION_SETS, openOptions } from '../model/option-sets.ts';
import { hex, utf8 } from '../support/bytes.ts';
import { seedFor } from '../support/random.ts';
import { scanForward } from '../support/read-database.ts';
import { expectReadableByRocksDB, rocksdbToolsInstalled, runTool } from '../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const toolsInstalled = rocksdbToolsInstalled();
const TIMEOUT_MS = 5 * 60_000;
const OPERATIONS = 4000;

/** Rows of a view as the tools print them. */
function rowsOf(view: FamilyView): string[] {
  return view.keys.map((key, index) => `${Buffer.from(key, 'latin1').toString('hex')}=${hex(view.values[index]!)}`);
}

let databases = 0;
afterAll(() => {
  process.stdout.write(`interop: ${databases} databases read by C++ RocksDB, seed ${seedFor(100)}\n`);
});

const seeds = [seedFor(100), seedFor(100) + 1, seedFor(100) + 2];
const readable = OPTION_SETS.filter((set) => set.readableBy7);
const cases = seeds.flatMap((seed) => readable.map((set) => [`${set.name}, seed ${seed}`, set, seed] as const));

describe.skipIf(!toolsInstalled)('ours to theirs', () => {
  test.each(cases)(
    'R8 %s',
    async (_name, optionSet, seed) => {
      using directory = temporaryDirectory();
      const path = join(directory.path, 'db');
      const run = new ModelRun({ optionSet, seed, operations: OPERATIONS, path });
      const families = new Map<string, string[]>();
      for (const [name, view] of await run.run()) {
        families.set(name, rowsOf(view));
      }
      expectReadableByRocksDB(path, families);
      databases++;
    },
    TIMEOUT_MS,
  );
});

describe.skipIf(!toolsInstalled)('theirs to ours', () => {
  test.each(readable.map((set) => [set.name, set] as const))(
    'R8 ldb puts and compacts, %s',
    async (_name, optionSet) => {
      using directory = temporaryDirectory();
      const path = join(directory.path, 'db');
      const run = new ModelRun({ optionSet, seed: seedFor(300), operations: OPERATIONS, path });
      const views = await run.run();
      expect(runTool('ldb', [`--db=${path}`, 'put', 'put by ldb', 'its value']).out.trim()).toBe('OK');
      expect(runTool('ldb', [`--db=${path}`, 'compact'])).toMatchObject({ code: 0 });
      expect(runTool('ldb', [`--db=${path}`, 'put', 'put after compact', 'another']).out.trim()).toBe('OK');
      await using db = await DB.open(path, openOptions(optionSet));
      for (const [name, view] of views) {
        const rows = new Map(rowsOf(view).map((row): [string, string] => [row.slice(0, row.indexOf('=')), row]));
        if (name === 'default') {
          const [one, two] = [utf8('put by ldb'), utf8('put after compact')];
          rows.set(hex(one), `${hex(one)}=${hex(utf8('its value'))}`);
          rows.set(hex(two), `${hex(two)}=${hex(utf8('another'))}`);
        }
        const binary = (key: string): string => toBinary(Buffer.from(key, 'hex'));
        const order = optionSet.families[name]!.order;
        const expected = [...rows].sort(([a], [b]) => order(binary(a), binary(b))).map(([, row]) => row);
        expect(scanForward(db.columnFamily(name))).toEqual(expected);
      }
    },
    TIMEOUT_MS,
  );
});

test.skipIf(!toolsInstalled)('R8 a database with several live WALs, held snapshots and range deletions', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  const options: Options = { createIfMissing: true, columnFamilies: { side: {} }, createMissingColumnFamilies: true };
  {
    await using db = await DB.open(path, options);
    const side = db.columnFamily('side');
    for (let i = 0; i < 500; i++) {
      await db.put(`key${String(i).padStart(5, '0')}`, `first ${i}`);
      await side.put(`side${String(i).padStart(5, '0')}`, `first ${i}`);
    }
    using snapshot = db.snapshot();
    await db.deleteRange('key00100', 'key00200');
    // Only one family is flushed: the other one keeps the older WAL alive.
    await db.columnFamily('default').flush();
    await db.put('key00150', 'again');
    await side.deleteRange('side00400', 'side00450');
    expect(await db.get('key00120', { snapshot })).toEqual(utf8('first 120'));
  }
  const rows = (prefix: string, from: number, to: number, again?: number): string[] => {
    const result: string[] = [];
    for (let i = 0; i < 500; i++) {
      const key = hex(utf8(`${prefix}${String(i).padStart(5, '0')}`));
      if (i === again) {
        result.push(`${key}=${hex(utf8('again'))}`);
      } else if (i < from || i >= to) {
        result.push(`${key}=${hex(utf8(`first ${i}`))}`);
      }
    }
    return result;
  };
  expectReadableByRocksDB(
    path,
    new Map([
      ['default', rows('key', 100, 200, 150)],
      ['side', rows('side', 400, 450)],
    ]),
  );
});
