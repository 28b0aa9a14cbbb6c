/**
 * What flushes and compactions leave in the tables, as C++ RocksDB's sst_dump sees it. Method: small databases, every
 * internal entry read back by the C++ tool.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB, type Options } from '../../src/index.ts';
import { rocksdbToolsInstalled, runTool } from '../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const toolsInstalled = rocksdbToolsInstalled();

/** One entry as sst_dump prints it: key, type and value as text. */
interface DumpedEntry {
  key: string;
  type: number;
  value: string;
}

/** Every entry of every table in a directory. RocksDB's type numbers: 0 delete, 1 put, 2 merge, 7 single delete. */
function entriesOfTables(directory: string): DumpedEntry[] {
  const entries: DumpedEntry[] = [];
  for (const table of readdirSync(directory).filter((name) => name.endsWith('.sst'))) {
    const { out } = runTool('sst_dump', [`--file=${join(directory, table)}`, '--command=scan']);
    for (const line of out.split('\n')) {
      const match = /^'(.*)' seq:\d+, type:(\d+) => (.*)$/.exec(line);
      if (match !== null) {
        entries.push({ key: match[1]!, type: Number(match[2]), value: match[3]! });
      }
    }
  }
  return entries;
}

async function tablesAfter(options: Options, work: (db: DB) => Promise<void>): Promise<DumpedEntry[]> {
  using directory = temporaryDirectory();
  {
    await using db = await DB.open(directory.path, { createIfMissing: true, ...options });
    await work(db);
  }
  return entriesOfTables(directory.path);
}

describe.skipIf(!toolsInstalled)('entries in tables', () => {
  test('S19 S21 a put is in the log; a flush moves it to a table and lets the log go', async () => {
    using directory = temporaryDirectory();
    const names = (end: string): string[] => readdirSync(directory.path).filter((name) => name.endsWith(end));
    {
      await using db = await DB.open(directory.path, { createIfMissing: true });
      await db.put('a', 'one');
      expect(names('.sst')).toEqual([]);
      const [log] = names('.log');
      expect(log).toBeDefined();
      await db.flush();
      expect(names('.sst').length).toBe(1);
      // Obsolete files go in the background, soon after.
      await expect.poll(() => names('.log')).not.toContain(log);
    }
    await using db = await DB.open(directory.path);
    expect(Buffer.from((await db.get('a'))!).toString()).toBe('one');
  });

  test('S48 overwrites and a delete leave nothing after a full compaction', async () => {
    const entries = await tablesAfter({}, async (db) => {
      for (let i = 0; i < 10; i++) {
        await db.put('key', `value ${i}`);
        await db.flush();
      }
      await db.put('other', 'kept');
      await db.delete('key');
      await db.compactRange();
    });
    expect(entries).toEqual([{ key: 'other', type: 1, value: 'kept' }]);
  });

  test('S52 S111 a flush writes only the newest of many versions', async () => {
    const entries = await tablesAfter({}, async (db) => {
      for (let i = 0; i < 20_000; i++) {
        await db.put(`key${i % 10}`, `value ${i}`);
      }
      await db.flush();
    });
    expect(entries.map((entry) => entry.value)).toEqual(Array.from({ length: 10 }, (_, i) => `value ${19_990 + i}`));
  });

  test('S112 a put that a later delete hides is not written by the flush, unless a snapshot sees it', async () => {
    const hidden = await tablesAfter({}, async (db) => {
      await db.put('key', 'hidden');
      await db.delete('key');
      await db.flush();
    });
    expect(hidden.filter((entry) => entry.type === 1)).toEqual([]);
    const seen = await tablesAfter({ disableAutoCompactions: true }, async (db) => {
      await db.put('key', 'seen');
      using snapshot = db.snapshot();
      await db.delete('key');
      await db.flush();
      expect(Buffer.from(db.getSync('key', { snapshot })!).toString()).toBe('seen');
    });
    expect(seen).toEqual([
      { key: 'key', type: 0, value: '' },
      { key: 'key', type: 1, value: 'seen' },
    ]);
  });

  test('S34 a compaction keeps exactly the versions that snapshots see, and drops them after', async () => {
    using directory = temporaryDirectory();
    await using db = await DB.open(directory.path, { createIfMissing: true });
    await db.put('key', 'first');
    const old = db.snapshot();
    await db.put('key', 'second');
    await db.put('key', 'third');
    const inputs = await db.flush().then(() => readdirSync(directory.path).filter((name) => name.endsWith('.sst')));
    await db.put('key', 'fourth');
    await db.compactRange();
    await expect.poll(() => readdirSync(directory.path)).not.toEqual(expect.arrayContaining(inputs));
    const values = (): string[] => entriesOfTables(directory.path).map((entry) => entry.value);
    await expect.poll(values).toEqual(['fourth', 'first']);
    old.release();
    await db.put('key', 'fifth');
    await db.compactRange();
    await expect.poll(values).toEqual(['fifth']);
  });

  test('S114 merge records stand in tables until they are combined', async () => {
    const kept = await tablesAfter({ mergeOperator: 'stringappend', disableAutoCompactions: true }, async (db) => {
      await db.put('key', 'base');
      await db.flush();
      await db.merge('key', 'more');
      await db.flush();
    });
    expect(kept.map((entry) => entry.type).sort()).toEqual([1, 2]);
    const combined = await tablesAfter({ mergeOperator: 'stringappend' }, async (db) => {
      await db.put('key', 'base');
      await db.flush();
      await db.merge('key', 'more');
      await db.compactRange();
    });
    expect(combined).toEqual([{ key: 'key', type: 1, value: 'base,more' }]);
  });
});

describe.skipIf(!toolsInstalled)('properties of tables', () => {
  const codecs = [
    ['S66', 'snappy', 'Snappy'],
    ['S67', 'zlib', 'Zlib'],
    ['S68', 'bzip2', 'BZip2'],
    ['S7', 'lz4', 'LZ4'],
    ['S7', 'lz4hc', 'LZ4HC'],
    ['S7', 'zstd', 'ZSTD'],
    ['S7', 'none', 'NoCompression'],
  ] as const;
  test.each(codecs)('%s %s blocks are read by C++ RocksDB', async (_row, compression, name) => {
    using directory = temporaryDirectory();
    {
      await using db = await DB.open(directory.path, { createIfMissing: true, compression });
      for (let i = 0; i < 2000; i++) {
        await db.put(`key${String(i).padStart(6, '0')}`, `the same words again and again, ${i}`);
      }
      await db.flush();
    }
    const table = readdirSync(directory.path).find((file) => file.endsWith('.sst'))!;
    const properties = runTool('sst_dump', [
      `--file=${join(directory.path, table)}`,
      '--command=none',
      '--show_properties',
    ]).out;
    expect(runTool('sst_dump', [`--file=${join(directory.path, table)}`, '--command=verify']).out).toContain(
      'The file is ok',
    );
    expect(properties).toMatch(new RegExp(`SST file compression algo: ${name}\\b`));
    expect(properties).toMatch(/# entries: 2000\b/);
    const entries = entriesOfTables(directory.path);
    expect(entries.length).toBe(2000);
    expect(entries[1234]).toEqual({ key: 'key001234', type: 1, value: 'the same words again and again, 1234' });
    const raw = Number(/raw value size: (\d+)/.exec(properties)?.[1]);
    const stored = Number(/data block size: (\d+)/.exec(properties)?.[1]);
    expect(stored < raw / 2).toBe(compression !== 'none');
  });

  test.each([4096, 16_384, 131_072])('S45 blocks are about as large as asked: %d bytes', async (blockSize) => {
    using directory = temporaryDirectory();
    {
      await using db = await DB.open(directory.path, { createIfMissing: true, blockSize, compression: 'none' });
      for (let i = 0; i < 20_000; i++) {
        await db.put(`key${String(i).padStart(8, '0')}`, 'x'.repeat(90));
      }
      await db.flush();
    }
    const table = readdirSync(directory.path).find((file) => file.endsWith('.sst'))!;
    const { out } = runTool('sst_dump', [
      `--file=${join(directory.path, table)}`,
      '--command=none',
      '--show_properties',
    ]);
    const blocks = Number(/# data blocks: (\d+)/.exec(out)?.[1]);
    const bytes = Number(/data block size: (\d+)/.exec(out)?.[1]);
    expect(bytes / blocks).toBeGreaterThan(blockSize * 0.9);
    expect(bytes / blocks).toBeLessThan(blockSize * 1.1);
  });

  test('S38 tables name their filter policy and their prefix extractor', async () => {
    using directory = temporaryDirectory();
    {
      await using db = await DB.open(directory.path, {
        createIfMissing: true,
        filterPolicy: { type: 'bloom', bitsPerKey: 10 },
        prefixExtractor: 'rocksdb.FixedPrefix.4',
      });
      await db.put('user1', 'x');
      await db.flush();
    }
    const table = readdirSync(directory.path).find((file) => file.endsWith('.sst'))!;
    const { out } = runTool('sst_dump', [
      `--file=${join(directory.path, table)}`,
      '--command=none',
      '--show_properties',
    ]);
    expect(out).toMatch(/prefix extractor name: rocksdb\.FixedPrefix\.4/);
    expect(out).toMatch(/filter policy name: (bloomfilter|rocksdb\.BuiltinBloomFilter)/);
  });
});
