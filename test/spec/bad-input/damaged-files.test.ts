/**
 * Databases with a file that is missing, empty, cut, overwritten or replaced by a directory. Method: every kind of file and
 * every kind of damage; open either refuses with the right code, naming the file, and leaves all files as they were, or the
 * damage is harmless and every row is there, or what is lost is reported.
 */

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DB, DBError, type DBErrorCode } from '../../../src/index.ts';
import { scanForward } from '../../support/read-database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { contentOf, expectRefusedUnchanged } from './refusal.ts';

const ROWS = 260;
let whole: TemporaryDirectory;
/** Names in the whole database by what they are. */
const files: Record<string, string> = {};

beforeAll(async () => {
  whole = temporaryDirectory();
  const db = await DB.open(whole.path, { createIfMissing: true, mergeOperator: 'stringappend' });
  const put = (i: number): Promise<void> => db.put(`key${String(i).padStart(4, '0')}`, `${i} `.repeat(30));
  for (let i = 0; i < 200; i++) await put(i);
  await db.flush();
  for (let i = 200; i < ROWS; i++) await put(i);
  await db.close();
  const find = (pattern: RegExp): string => readdirSync(whole.path).find((name) => pattern.test(name))!;
  files.CURRENT = 'CURRENT';
  files.IDENTITY = 'IDENTITY';
  files.LOCK = 'LOCK';
  files.MANIFEST = find(/^MANIFEST-/);
  files.OPTIONS = find(/^OPTIONS-/);
  files.table = find(/\.sst$/);
  files.log = find(/\.log$/);
});

afterAll(() => whole[Symbol.dispose]());

/** Ways to damage a file. */
const damages: Record<string, (path: string) => void> = {
  missing: (path) => rmSync(path),
  empty: (path) => writeFileSync(path, ''),
  'a byte short': (path) => writeFileSync(path, readFileSync(path).subarray(0, -1)),
  'a byte long': (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('x')])),
  garbage: (path) => writeFileSync(path, Buffer.alloc(1000, 0xa5)),
  zeros: (path) => writeFileSync(path, Buffer.alloc(1000)),
  'wrong at the start': (path) => flip(path, 1),
  'wrong at the end': (path) => flip(path, -2),
  'a directory': (path) => {
    rmSync(path);
    mkdirSync(path);
  },
};

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  const index = at < 0 ? bytes.length + at : at;
  if (index >= 0 && index < bytes.length) bytes[index] = bytes[index]! ^ 0xff;
  writeFileSync(path, bytes);
}

/** A refusal; or how many rows there must be, and whether a loss must be reported. */
type Outcome = { code: DBErrorCode; words: RegExp } | { rows: number; dropped: boolean };

const sound: Outcome = { rows: ROWS, dropped: false };
const refused = (code: DBErrorCode, words: RegExp): Outcome => ({ code, words });
const corrupt = (words: RegExp): Outcome => refused('CORRUPTION', words);

/** What each damage must come to. Left out: the damage is harmless. */
const outcomes: Record<string, Record<string, Outcome>> = {
  CURRENT: {
    missing: corrupt(/CURRENT is missing, but tables are there/),
    empty: corrupt(/CURRENT.*does not end with newline/),
    'a byte short': corrupt(/CURRENT.*does not end with newline/),
    'a byte long': corrupt(/CURRENT.*does not end with newline/),
    garbage: corrupt(/CURRENT/),
    zeros: corrupt(/CURRENT/),
    'wrong at the start': corrupt(/CURRENT.*does not name a MANIFEST/),
    'wrong at the end': corrupt(/CURRENT/),
    'a directory': corrupt(/CURRENT/),
  },
  MANIFEST: {
    missing: corrupt(/CURRENT: names MANIFEST-\d+, which is missing/),
    empty: corrupt(/MANIFEST-\d+: no .*next_file_number/),
    garbage: corrupt(/MANIFEST-\d+.*offset 0/),
    zeros: corrupt(/MANIFEST-\d+/),
    'wrong at the start': corrupt(/MANIFEST-\d+: checksumMismatch at offset 0/),
    'wrong at the end': corrupt(/MANIFEST-\d+: checksumMismatch at offset \d+/),
    'a directory': refused('IO_ERROR', /MANIFEST-\d+.*EISDIR/),
  },
  table: {
    missing: corrupt(/\d+\.sst: a table that the MANIFEST names is missing/),
    empty: corrupt(/size mismatch.*\d+\.sst.*manifest \d+, actual size 0/),
    'a byte short': corrupt(/size mismatch.*\d+\.sst/),
    'a byte long': corrupt(/size mismatch.*\d+\.sst/),
    garbage: corrupt(/size mismatch.*\d+\.sst/),
    zeros: corrupt(/size mismatch.*\d+\.sst/),
    'wrong at the end': corrupt(/magic number.*\d+\.sst/),
    'a directory': corrupt(/\d+\.sst/),
  },
  log: {
    // The name of a log stands nowhere, and one without a record is what a crash right after its creation leaves.
    missing: { rows: 200, dropped: false },
    empty: { rows: 200, dropped: false },
    zeros: { rows: 200, dropped: false },
    garbage: { rows: 200, dropped: true },
    'a byte short': { rows: ROWS - 1, dropped: true },
    'a byte long': { rows: ROWS, dropped: true },
    'wrong at the start': corrupt(/\d+\.log: checksumMismatch at offset 0.*intact records follow at offset \d+/),
    'wrong at the end': { rows: ROWS - 1, dropped: true },
    'a directory': refused('IO_ERROR', /\d+\.log.*EISDIR/),
  },
  IDENTITY: { 'a directory': refused('IO_ERROR', /IDENTITY.*EISDIR/) },
  LOCK: { 'a directory': refused('IO_ERROR', /LOCK.*EISDIR/) },
  OPTIONS: {},
};

describe.each(Object.keys(outcomes))('%s', (kind) => {
  test.each(Object.keys(damages))('%s', async (damage) => {
    // The last record of a MANIFEST may be torn by a crash: what it said is then still in the log. Not here.
    if (kind === 'MANIFEST' && damage.startsWith('a byte')) return expectTornManifest(damage);
    using copy = temporaryDirectory();
    cpSync(whole.path, copy.path, { recursive: true });
    const outcome = outcomes[kind]![damage] ?? sound;
    damages[damage]!(join(copy.path, files[kind]!));
    if (kind === 'table' && damage === 'wrong at the start') return await expectDamagedBlock(copy.path);
    for (const options of [{}, { createIfMissing: true }]) {
      if (!('code' in outcome)) continue;
      await expectRefusedUnchanged(copy.path, () => DB.open(copy.path, options), outcome.code, outcome.words);
    }
    if ('code' in outcome) return;
    // Read-only first, which must not change anything.
    const before = contentOf(copy.path);
    await expectOpens(copy.path, outcome, true);
    expect(contentOf(copy.path)).toEqual(before);
    await expectOpens(copy.path, outcome, false);
  });
});

async function expectOpens(
  path: string,
  outcome: { rows: number; dropped: boolean },
  readOnly: boolean,
): Promise<void> {
  await using db = await DB.open(path, { readOnly });
  expect(scanForward(db).length).toBe(outcome.rows);
  expect(db.recovery.droppedBytes > 0).toBe(outcome.dropped);
  expect(db.recovery.drops.length > 0).toBe(outcome.dropped);
  for (const drop of db.recovery.drops) expect(drop).toMatchObject({ file: expect.stringMatching(/\d+\.log$/) });
}

/** A damaged block is found by the read that needs it; the rest stays readable. */
async function expectDamagedBlock(path: string): Promise<void> {
  await using db = await DB.open(path);
  const read = (): unknown => db.getSync('key0000');
  expect(read).toThrow(DBError);
  expect(read).toThrow(/checksum mismatch.*\d+\.sst offset 0 size \d+/);
  await expect(db.get('key0000')).rejects.toMatchObject({ code: 'CORRUPTION' });
  expect(Buffer.from(db.getSync('key0199')!).toString()).toBe('199 '.repeat(30));
  expect(() => scanForward(db)).toThrow(/checksum mismatch/);
}

async function expectTornManifest(damage: string): Promise<void> {
  using copy = temporaryDirectory();
  {
    // A new MANIFEST ends in what open wrote; nothing is in tables yet, so its last record may be torn.
    await using db = await DB.open(copy.path, { createIfMissing: true });
    await db.createColumnFamily('last');
    await db.put('a', 'one');
  }
  const manifest = readdirSync(copy.path).find((name) => name.startsWith('MANIFEST-'))!;
  damages[damage]!(join(copy.path, manifest));
  await using db = await DB.open(copy.path);
  expect(scanForward(db)).toEqual(['61=6f6e65']);
  const families = await DB.listColumnFamilies(copy.path);
  expect(families).toEqual(damage === 'a byte long' ? ['default', 'last'] : ['default']);
}

test('CURRENT that names a file elsewhere is refused', async () => {
  for (const name of [
    '../MANIFEST-000001',
    '/etc/passwd',
    'MANIFEST-',
    'MANIFEST-x',
    'MANIFEST-1\nMANIFEST-2',
    '000003.log',
  ]) {
    using copy = temporaryDirectory();
    cpSync(whole.path, copy.path, { recursive: true });
    writeFileSync(join(copy.path, 'CURRENT'), `${name}\n`);
    await expectRefusedUnchanged(copy.path, () => DB.open(copy.path), 'CORRUPTION', /CURRENT/);
  }
});

test('a database that lost CURRENT can be destroyed and made anew, and one without tables just begins', async () => {
  using copy = temporaryDirectory();
  cpSync(whole.path, copy.path, { recursive: true });
  rmSync(join(copy.path, 'CURRENT'));
  await DB.destroy(copy.path);
  {
    await using db = await DB.open(copy.path, { createIfMissing: true });
    expect(scanForward(db)).toEqual([]);
    await db.put('a', 'one');
  }
  rmSync(join(copy.path, 'CURRENT'));
  await using db = await DB.open(copy.path, { createIfMissing: true });
  expect(scanForward(db)).toEqual(['61=6f6e65']);
});

test('a damaged log is refused again and again, until the user decides', async () => {
  using copy = temporaryDirectory();
  cpSync(whole.path, copy.path, { recursive: true });
  flip(join(copy.path, files.log!), 1);
  for (let i = 0; i < 3; i++) {
    await expectRefusedUnchanged(copy.path, () => DB.open(copy.path), 'CORRUPTION', /recoverToPoint|intact records/);
  }
  await using db = await DB.open(copy.path, { walCorruption: 'recoverToPoint' });
  expect(scanForward(db).length).toBe(200);
  expect(db.recovery.droppedBytes).toBeGreaterThan(0);
});
