/** The commands of `pumice`. Method: over copies of databases that RocksDB wrote, sound and damaged on purpose. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DB } from '../../src/index.ts';
import { OPTION_TABLE } from '../../src/options/option-table.ts';
import { PROGRAM_NAMES, programUrl } from '../../tools/pumice/programs.ts';
import { pumice } from '../../tools/pumice/pumice.ts';
import { directoryFingerprint } from '../support/directory-hash.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryCopy, temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess, type ToolOutcome } from './run-in-process.ts';

const fixture = (name: string): string => join(PROJECT_ROOT, 'test/fixtures', name, 'db');
/** Outputs as text: pumice prints no raw bytes of users. */
async function run(...args: string[]): Promise<ToolOutcome> {
  const { code, out, err } = await runInProcess(pumice, args);
  const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();
  return { code, out: text(out), err: text(err) };
}

function firstTable(directory: string): string {
  return join(
    directory,
    readdirSync(directory)
      .filter((name) => name.endsWith('.sst'))
      .sort()[0]!,
  );
}

test('S8 the doctor finds a sound database healthy, and changes nothing in it', async () => {
  using copy = temporaryCopy(fixture('level-compacted'));
  const before = directoryFingerprint(copy.path);
  const { code, out, err } = await run('doctor', copy.path);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('Column family [default]\n  Level  Files    Size(MB)     Entries  Tombstones\n');
  expect(out).toMatch(/^ +1 +1 +0\.01 +237 +32$/m);
  expect(out).toMatch(/Amplification: a read looks into up to 3 sorted runs; space 1\.49/);
  expect(out).toContain('Stalls: none');
  expect(out).toMatch(/Tables: 9 read through, \d+ bytes\nHealthy, 0 warnings\n$/);
  expect(directoryFingerprint(copy.path)).toEqual(before);
});

test('S8 the doctor looks at a database that somebody has open', async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(join(directory.path, 'db'), { createIfMissing: true });
  await db.put('a', '1');
  expect((await run('doctor', db.path)).code).toBe(0);
});

test('S8 the doctor sees every family', async () => {
  using copy = temporaryCopy(fixture('column-families'));
  const { code, out } = await run('doctor', '--json', copy.path);
  expect(code).toBe(0);
  const names = await DB.listColumnFamilies(copy.path);
  const { families } = JSON.parse(out) as { families: { name: string }[] };
  expect(families.map(({ name }) => name)).toEqual(names);
});

test('S8 the doctor names a table with a flipped bit, and a missing one', async () => {
  using copy = temporaryCopy(fixture('level-compacted'));
  const table = firstTable(copy.path);
  const bytes = readFileSync(table);
  bytes[40] = bytes[40]! ^ 0x10;
  writeFileSync(table, bytes);
  const damaged = await run('doctor', copy.path);
  expect(damaged.code).toBe(1);
  expect(damaged.out).toContain(`PROBLEM: Corruption: block checksum mismatch`);
  expect(damaged.out).toContain(table);
  expect(damaged.out).toContain('Not healthy: 1 problems');
  expect((await run('doctor', copy.path, '--quick')).code).toBe(0);
  rmSync(table);
  expect((await run('doctor', copy.path)).code).toBe(1);
});

test('S8 the doctor reports a directory without a database, and a damaged MANIFEST', async () => {
  using directory = temporaryDirectory();
  const none = await run('doctor', directory.path);
  expect([none.code, none.out.includes('PROBLEM: cannot be opened: ')]).toEqual([1, true]);
  using copy = temporaryCopy(fixture('tiny'));
  const manifest = readdirSync(copy.path).find((name) => name.startsWith('MANIFEST'))!;
  const bytes = readFileSync(join(copy.path, manifest));
  bytes[20] = bytes[20]! ^ 0x40;
  writeFileSync(join(copy.path, manifest), bytes);
  const damaged = await run('doctor', copy.path, '--json');
  expect(damaged.code).toBe(1);
  const { findings } = JSON.parse(damaged.out) as { findings: { severity: string; text: string }[] };
  expect(findings).toHaveLength(1);
  expect(findings[0]!.text).toContain('Corruption');
});

test('S8 the doctor warns of tombstones and of tables that belong to no version', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  {
    await using db = await DB.open(path, { createIfMissing: true, disableAutoCompactions: true });
    for (let i = 0; i < 100; i++) db.deleteSync(`key${i}`);
    db.putSync('kept', 'value');
    await db.flush();
  }
  writeFileSync(join(path, '999999.sst'), 'left by a crash');
  const { code, out } = await run('doctor', path);
  expect(code).toBe(0);
  expect(out).toContain('WARNING: [default] 100 of 101 entries are tombstones');
  expect(out).toContain('WARNING: 1 tables belong to no version (999999.sst)');
  expect(out).toContain('Healthy, 2 warnings');
});

test('S8 the doctor calls a full level 0 a stall, by the limits that the database was opened with', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  {
    await using db = await DB.open(path, {
      createIfMissing: true,
      disableAutoCompactions: true,
      level0FileNumCompactionTrigger: 2,
      level0SlowdownWritesTrigger: 3,
      level0StopWritesTrigger: 4,
    });
    for (let i = 0; i < 3; i++) {
      db.putSync(`key${i}`, 'value');
      await db.flush();
    }
  }
  const slow = await run('doctor', path);
  expect([slow.code, slow.out.includes('Stalls: slowdown')]).toEqual([0, true]);
  expect(slow.out).toContain('WARNING: [default] writes would be slowed down: 3 files in level 0 (limit 3)');
});

test('S3 the listing of options has a type, a default and a sentence for every one', async () => {
  const { code, out } = await run('options', '--list', '--json');
  expect(code).toBe(0);
  const listed = JSON.parse(out) as {
    name: string;
    type: string;
    changeable: boolean;
    doc: string;
    default: unknown;
  }[];
  expect(listed.map(({ name }) => name)).toEqual([...OPTION_TABLE.keys()]);
  for (const { type, doc, changeable } of listed) {
    expect(type).toMatch(/\w/);
    expect(doc).toMatch(/\w/);
    expect(typeof changeable).toBe('boolean');
  }
  const text = (await run('options', 'writeBufferSize')).out;
  expect(text).toContain('writeBufferSize  (column family)\n    type: integer, ');
  expect(text).toContain('default: 67108864; changeable while open: yes\n    in RocksDB: write_buffer_size\n');
  expect(await run('options', 'noSuchOption')).toMatchObject({
    code: 1,
    err: 'Failed: no option is named like noSuchOption\n',
  });
});

test('stat prints figures of every family, or the properties asked for', async () => {
  using copy = temporaryCopy(fixture('column-families'));
  const { code, out } = await run('stat', copy.path);
  expect(code).toBe(0);
  expect(out).toMatch(/^Latest sequence: [1-9]\d*$/m);
  for (const name of await DB.listColumnFamilies(copy.path)) expect(out).toContain(`Column family [${name}]\n`);
  expect((await run('stat', `--db=${copy.path}`, 'rocksdb.levelstats')).out).toContain(
    'rocksdb.levelstats:\nLevel Files Size(MB)\n',
  );
  expect(await run('stat', copy.path, 'rocksdb.nosuch')).toMatchObject({ code: 1 });
});

test('an unknown command or flag fails and says so, --help does not', async () => {
  expect((await run('nosuch')).err).toContain('Unknown command nosuch\n');
  expect((await run('doctor', 'x', '--nosuch')).err).toBe('Failed: pumice doctor knows no flag --nosuch\n');
  expect((await run('doctor')).err).toContain('which database?');
  const help = await run('--help');
  expect(help.code).toBe(0);
  for (const name of PROGRAM_NAMES) expect(help.out).toContain(`pumice ${name} ...`);
});

test('every program that pumice starts is there', () => {
  for (const name of PROGRAM_NAMES)
    expect(readFileSync(programUrl(name)!, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(programUrl('nosuch')).toBeUndefined();
});
