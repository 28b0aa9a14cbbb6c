/**
 * Tables read past the page cache of the system. Method: databases on a real disk whose files are first dropped from the page
 * cache; `fincore` counts the pages that reads brought back. Aligned reading by itself is compared with usual reads.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NodeFileSystem } from '../../../src/env/node-file-system.ts';
import { BlockCache, DB, Env, type Logger, type Options } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const COUNT = 3000;

function takesDirectReads(): boolean {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'f');
  writeFileSync(path, 'x');
  const file = new NodeFileSystem().openRandomSync(path, { direct: true });
  file.closeSync();
  return file.direct === true;
}

const canCount = spawnSync('fincore', ['--version']).status === 0;
const canRead = takesDirectReads();
if (!canCount) process.stderr.write('\n*** SKIPPED: fincore is not installed (apt-get install util-linux-extra) ***\n');
if (!canRead) process.stderr.write('\n*** SKIPPED: temporary files are on a file system without O_DIRECT ***\n');

function tablesOf(path: string): string[] {
  return readdirSync(path)
    .filter((name) => name.endsWith('.sst'))
    .map((name) => join(path, name));
}

/** Pages of the tables that are in the page cache. */
function cachedPages(path: string): number {
  const lines = execFileSync('fincore', ['--noheadings', '--raw', '--output', 'PAGES', ...tablesOf(path)], {
    encoding: 'utf8',
  });
  return lines
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line), 0);
}

/** Makes the page cache forget the tables; they were synced. */
function dropPages(path: string): void {
  for (const table of tablesOf(path)) {
    execFileSync('dd', [`of=${table}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
  }
}

function textOf(i: number): string {
  return `value ${i} `.repeat(30);
}

async function fill(path: string): Promise<void> {
  await using db = await DB.open(path, {
    createIfMissing: true,
    writeBufferSize: 1 << 20,
    compression: 'none',
    disableAutoCompactions: true,
  });
  for (let i = 0; i < COUNT; i++) await db.put(`key${10_000 + i}`, textOf(i));
  await db.flush();
}

/** Reads everything, by scan and by key, and tells whether it was right. */
async function readAll(path: string, options: Options): Promise<void> {
  await using db = await DB.open(path, { ...options, readOnly: true });
  let count = 0;
  for await (const [key, value] of db.entries()) {
    expect(Buffer.from(key).toString()).toBe(`key${10_000 + count}`);
    expect(Buffer.from(value).toString()).toBe(textOf(count++));
  }
  expect(count).toBe(COUNT);
  for (let i = 0; i < COUNT; i += 97) expect(Buffer.from(db.getSync(`key${10_000 + i}`)!).toString()).toBe(textOf(i));
  expect([...db.entriesSync()].length).toBe(COUNT);
}

describe.skipIf(!canCount || !canRead)('on this disk', () => {
  test('S94 with a compressed block cache, or useDirectReads, a scan leaves no page of a table in the page cache', async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'db');
    await fill(path);
    dropPages(path);
    expect(cachedPages(path)).toBe(0);
    const blockCacheCompressed = new BlockCache({ capacity: 1 << 20 });
    await readAll(path, { blockCacheCompressed });
    blockCacheCompressed.close();
    expect(cachedPages(path)).toBe(0);
    await readAll(path, { useDirectReads: true });
    expect(cachedPages(path)).toBe(0);
    await readAll(path, {});
    expect(cachedPages(path)).toBeGreaterThan(20);
  });

  test('S94 a compaction in a worker reads its inputs directly too', async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'db');
    await fill(path);
    // Overwritten, so that the tables must be merged and cannot just be moved.
    await fill(path);
    dropPages(path);
    const inputs = tablesOf(path);
    await using db = await DB.open(path, { useDirectReads: true });
    await db.disableFileDeletions();
    await db.compactRange();
    const pages = execFileSync('fincore', ['--noheadings', '--raw', '--output', 'PAGES', ...inputs], {
      encoding: 'utf8',
    });
    expect(pages.trim().split(/\s+/).map(Number)).toEqual(inputs.map(() => 0));
    await db.enableFileDeletions();
    expect([...db.entriesSync()].length).toBe(COUNT);
  });
});

test.skipIf(!canRead)(
  'S94 aligned reads give the bytes of any range, blocking and not, many at once, up to the end',
  async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'f');
    const random = new Random(seedFor(94));
    const content = random.bytes(700_001);
    writeFileSync(path, content);
    const fs = new NodeFileSystem();
    const file = fs.openRandomSync(path, { direct: true });
    const reads: Promise<void>[] = [];
    for (let i = 0; i < 300; i++) {
      const offset = random.oneIn(4) ? random.below(175) * 4096 : random.below(content.length + 100);
      const size = random.oneIn(10) ? random.below(600_000) : random.below(9000);
      const expected = content.subarray(offset, offset + size);
      const target = new Uint8Array(size);
      if (random.oneIn(2)) {
        expect(file.readSync(target, offset)).toBe(expected.length);
        expect(Buffer.compare(target.subarray(0, expected.length), expected)).toBe(0);
        continue;
      }
      reads.push(
        file.read(target, offset).then((count) => {
          expect(count).toBe(expected.length);
          expect(Buffer.compare(target.subarray(0, count), expected)).toBe(0);
        }),
      );
    }
    await Promise.all(reads);
    expect(file.sizeSync()).toBe(content.length);
    expect(() => file.readSync(new Uint8Array(1), -1)).toThrow(/EINVAL|nvalid/);
    await file.close();
    expect(fs.openDescriptors).toBe(0);
  },
);

test('S94 where direct reads cannot be, LOG says so once and reads go on', async () => {
  const log: string[] = [];
  const drop = (): void => {};
  const logger: Logger = { debug: drop, info: drop, warn: (text) => void log.push(text), error: drop };
  const db = await DB.open('/db', { createIfMissing: true, env: Env.memory(), useDirectReads: true, logger });
  for (let i = 0; i < 3; i++) {
    await db.put(`key${i}`, 'value');
    await db.flush();
  }
  for (let i = 0; i < 3; i++) expect(db.getSync(`key${i}`)).toBeDefined();
  expect(log.filter((line) => line.includes('no direct reads')).length).toBe(1);
  await db.close();
});

test('S94 a file that is not there fails as usual, and leaves no descriptor', () => {
  using directory = temporaryDirectory();
  const fs = new NodeFileSystem();
  expect(() => fs.openRandomSync(join(directory.path, 'none'), { direct: true })).toThrow(/none/);
  expect(fs.openDescriptors).toBe(0);
});
