/** Repair: every key of intact files comes back, and no byte of what was there is lost. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../../format/base/bytes.ts';
import { DB, type Options } from '../../../src/index.ts';
import { allFixtures, expectedRows } from '../../support/fixtures.ts';
import { Random } from '../../support/random.ts';
import { expectRows, scanForward } from '../../support/read-database.ts';
import {
  expectConsistent,
  expectReadableByRocksDB,
  expectTablesSound,
  ldbScan,
  rocksdbToolsInstalled,
} from '../../support/rocksdb-tools.ts';
import { temporaryCopy, temporaryDirectory } from '../../support/temporary-directory.ts';

const tools = rocksdbToolsInstalled();

function removeRoots(path: string): void {
  for (const name of readdirSync(path)) {
    if (name === 'CURRENT' || name.startsWith('MANIFEST-')) rmSync(join(path, name));
  }
}

/** Hashes of all tables and logs below a directory. */
function contents(path: string): Set<string> {
  const hashes = new Set<string>();
  for (const entry of readdirSync(path, { recursive: true })) {
    const file = join(path, String(entry));
    if (!/\.(sst|ldb|log)$/.test(file.replace(/\.\d+$/, '')) || !statSync(file).isFile()) continue;
    hashes.add(createHash('sha256').update(readFileSync(file)).digest('hex'));
  }
  return hashes;
}

/** Repairs, and checks that every file that was there still is, somewhere. */
async function repair(path: string, options: Options = {}): ReturnType<typeof DB.repair> {
  const before = contents(path);
  const report = await DB.repair(path, options);
  const after = contents(path);
  for (const hash of before) expect(after.has(hash)).toBe(true);
  expect(readdirSync(path)).not.toContain('repair.tmp');
  return report;
}

/** What a MANIFEST alone tells: the sequence of a file that was ingested without writing it into the file. */
const NEEDS_MANIFEST = new Set(['ingested-manifest-seqno']);
const fixtures = allFixtures().filter(
  ({ name, description }) =>
    description.recovery === undefined && !name.startsWith('opt-') && !NEEDS_MANIFEST.has(name),
);

describe('R18 golden databases without MANIFEST and CURRENT', () => {
  test.each(fixtures.map((fixture) => [`R18 ${fixture.name}`, fixture] as const))('%s', async (_name, fixture) => {
    using copy = temporaryCopy(fixture.path);
    removeRoots(copy.path);
    const report = await repair(copy.path);
    expect(report.lost.filter(({ kind }) => kind === 'damaged')).toEqual([]);
    expect(report.drops).toEqual([]);
    await using db = await DB.open(copy.path, {});
    for (const [family, rows] of expectedRows(fixture)) {
      if (rows.length === 0 && family !== 'default' && !report.columnFamilies.includes(family)) continue;
      await expectRows(db.columnFamily(family), rows);
    }
    await db.close();
    if (tools && !fixture.name.startsWith('modern-')) expectConsistent(copy.path);
  });
});

describe('R18 databases of ours', () => {
  /**
   * `parted`: no log holds what is in a table, too. Without a MANIFEST nothing tells whether merge operands in a log are in
   * a compacted table already.
   */
  async function randomDatabase(path: string, seed: number, parted: boolean): Promise<Map<string, string[]>> {
    const random = new Random(seed);
    const db = await DB.open(path, {
      createIfMissing: true,
      createMissingColumnFamilies: true,
      columnFamilies: { counters: { mergeOperator: 'uint64add' }, text: { mergeOperator: 'stringappend' } },
      writeBufferSize: 64 * 1024,
      targetFileSizeBase: 32 * 1024,
      maxBytesForLevelBase: 64 * 1024,
      level0FileNumCompactionTrigger: 2,
    });
    const families = ['default', 'counters', 'text'].map((name) => db.columnFamily(name));
    for (let i = 0; i < 6000; i++) {
      const family = random.pick(families);
      const key = String(random.below(700)).padStart(6, '0');
      const action = random.below(20);
      if (family.name === 'counters') {
        const one = Buffer.alloc(8);
        one.writeBigUInt64LE(BigInt(random.below(100)));
        if (action === 0) await family.delete(key);
        else await family.merge(key, one);
      } else if (action === 0) await family.delete(key);
      else if (action === 1) await family.deleteRange(key, `${key}~`);
      else if (action === 2 && family.name === 'text') await family.merge(key, 'x');
      else await family.put(key, random.bytes(random.below(120), true));
      if (random.below(500) === 0) await family.flush();
      if (parted && i === 5900) await db.flush();
    }
    const rows = new Map(families.map((family) => [family.name, scanForward(family)]));
    await db.close();
    return rows;
  }

  test.each([1, 2, 3, 4])('R18 three families with merges, deletions, ranges and levels, seed %i', async (seed) => {
    using place = temporaryDirectory();
    const path = join(place.path, 'db');
    const rows = await randomDatabase(path, seed, true);
    removeRoots(path);
    if (seed % 2 === 0) for (const name of readdirSync(path)) if (name.startsWith('OPTIONS')) rmSync(join(path, name));
    const report = await repair(path);
    expect(report.columnFamilies).toEqual(['default', 'counters', 'text']);
    const db = await DB.open(path, {});
    for (const [family, expected] of rows) expect(scanForward(db.columnFamily(family)), family).toEqual(expected);
    expect(db.latestSequence).toBeGreaterThanOrEqual(report.lastSequence);
    await db.put('later', 'v');
    await db.compactRange({});
    expect(db.getSync('later')).toBeDefined();
    await db.delete('later');
    await db.close();
    if (tools) {
      expectConsistent(path);
      expectTablesSound(path);
      expect(ldbScan(path)).toEqual(rows.get('default'));
    }
  });

  test('R18 a repair of a whole database changes nothing that can be read, and can be repeated', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'db');
    const rows = await randomDatabase(path, 5, false);
    for (let i = 0; i < 3; i++) {
      await repair(path);
      await using db = await DB.open(path, {});
      for (const [family, expected] of rows) expect(scanForward(db.columnFamily(family)), family).toEqual(expected);
    }
  });

  test('R18 a damaged table goes to lost, and the keys of the others are there', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'db');
    const db = await DB.open(path, { createIfMissing: true, disableAutoCompactions: true });
    for (let table = 0; table < 4; table++) {
      for (let i = 0; i < 100; i++) await db.put(`${table}-${String(i).padStart(3, '0')}`, `v${table}`);
      await db.flush();
    }
    await db.put('in-log', 'v');
    const tables = db.getLiveFilesMetaData();
    await db.close();
    const victim = tables.find(({ smallestKey }) => Buffer.from(smallestKey).toString().startsWith('2-'))!;
    const file = join(path, victim.name);
    const bytes = readFileSync(file);
    bytes[200]! ^= 1;
    writeFileSync(file, bytes);
    removeRoots(path);
    const report = await repair(path);
    const damaged = report.lost.filter(({ kind }) => kind === 'damaged');
    expect(damaged.map((lost) => lost.path)).toEqual([file]);
    expect(damaged[0]!.reason).toMatch(/checksum/i);
    expect(readFileSync(damaged[0]!.movedTo)).toEqual(bytes);
    await using again = await DB.open(path, {});
    const keys = scanForward(again).map((row) => Buffer.from(row.split('=')[0]!, 'hex').toString());
    expect(keys.length).toBe(301);
    expect(keys.some((key) => key.startsWith('2-'))).toBe(false);
    expect(keys).toContain('in-log');
  });

  test('R18 a log with damage inside gives the records before and behind it', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'db');
    const db = await DB.open(path, { createIfMissing: true });
    for (let i = 0; i < 50; i++) await db.put(`k${String(i).padStart(2, '0')}`, 'v'.repeat(50));
    const [log] = await db.getSortedWalFiles();
    await db.close();
    const bytes = readFileSync(log!.path);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    writeFileSync(log!.path, bytes);
    removeRoots(path);
    const report = await repair(path);
    expect(report.drops.length).toBe(1);
    expect(report.drops[0]!.reason).toMatch(/checksumMismatch/);
    await using again = await DB.open(path, {});
    expect(scanForward(again).length).toBe(49);
  });

  test('R18 families that only logs and an OPTIONS file know keep their names', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'db');
    const db = await DB.open(path, { createIfMissing: true });
    for (const name of ['a', 'b', 'c']) {
      const family = await db.createColumnFamily(name);
      await family.put('key', name);
    }
    await db.close();
    removeRoots(path);
    await repair(path);
    const again = await DB.open(path, {});
    for (const name of ['a', 'b', 'c']) expect(again.columnFamily(name).getSync('key')).toEqual(utf8(name));
    await again.close();
    if (tools) {
      const rows = new Map<string, string[]>([['default', []]]);
      for (const name of ['a', 'b', 'c']) rows.set(name, [`6b6579=${Buffer.from(name).toString('hex')}`]);
      expectReadableByRocksDB(path, rows);
    }
  });

  test('R18 an unnamed family of a log gets a name of its own', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'db');
    const db = await DB.open(path, { createIfMissing: true });
    await (await db.createColumnFamily('a')).put('key', 'v');
    await db.close();
    removeRoots(path);
    for (const name of readdirSync(path)) if (name.startsWith('OPTIONS')) rmSync(join(path, name));
    expect((await repair(path)).columnFamilies).toEqual(['default', 'recovered-1']);
    await using again = await DB.open(path, {});
    expect(again.columnFamily('recovered-1').getSync('key')).toBeDefined();
  });

  test('R18 nothing in lost is overwritten', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'db');
    const db = await DB.open(path, { createIfMissing: true });
    await db.put('a', '1');
    await db.close();
    const log = readdirSync(path).find((name) => name.endsWith('.log'))!;
    await repair(path);
    renameSync(join(path, 'lost', log), join(path, log));
    writeFileSync(join(path, 'lost', log), 'mine');
    await repair(path);
    expect(readFileSync(join(path, 'lost', log), 'utf8')).toBe('mine');
    expect(existsSync(join(path, 'lost', `${log}.1`))).toBe(true);
  });

  test('an open database, an empty directory and an unknown operator are refused untouched', async () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'db');
    const merge = {
      name: 'mine',
      fullMerge: (_key: Uint8Array, _base: unknown, operands: Uint8Array[]) => operands.at(-1)!,
    };
    const db = await DB.open(path, { createIfMissing: true, mergeOperator: merge });
    await db.merge('a', '1');
    await expect(DB.repair(path)).rejects.toMatchObject({ code: 'LOCKED' });
    await db.flush();
    await db.close();
    const names = readdirSync(path);
    await expect(DB.repair(path)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('mine'),
    });
    expect(readdirSync(path)).toEqual(names);
    await expect(DB.repair(place.path)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(DB.repair(join(place.path, 'none'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await DB.repair(path, { mergeOperator: merge });
    await using again = await DB.open(path, { mergeOperator: merge });
    expect(again.getSync('a')).toEqual(utf8('1'));
  });
});
