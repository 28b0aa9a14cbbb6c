/**
 * C++ RocksDB 7.8.3 reads databases whose tables have compression dictionaries, in every codec, and Pumice what the C++
 * tool makes of them; both give flushed tables dictionaries, not only those of the last level.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DB, Env, type Options } from '../../src/index.ts';
import { hex, utf8 } from '../support/bytes.ts';
import { scanForward } from '../support/read-database.ts';
import { expectReadableByRocksDB, runTool, testWithTools } from '../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { openTableFile } from '../../tools/lib/table-file.ts';

const CODECS = ['zlib', 'lz4', 'lz4hc', 'zstd'] as const;

function record(i: number): string {
  return `{"id":${i},"name":"user ${(i * 7919) % 1000}","mail":"u${i}@example.com","roles":["reader"]}`;
}

function fill(db: DB, from: number, to: number): string[] {
  const rows: string[] = [];
  for (let i = from; i < to; i++) {
    const key = utf8(`user:${String(i).padStart(6, '0')}`);
    db.putSync(key, record(i));
    rows.push(`${hex(key)}=${hex(utf8(record(i)))}`);
  }
  return rows;
}

async function dictionaryOf(path: string): Promise<Uint8Array> {
  const table = await openTableFile(Env.default.fileSystem, path, true);
  try {
    return table.source.dictionary?.slice() ?? new Uint8Array(0);
  } finally {
    table.close();
  }
}

describe.each(CODECS)('%s', (compression) => {
  const options: Options = {
    createIfMissing: true,
    compression,
    compressionOptions: { maxDictBytes: 4096, maxDictBufferBytes: 100_000 },
    targetFileSizeBase: 20_000,
    disableAutoCompactions: true,
  };

  testWithTools('R8 RocksDB reads, checks and compacts what was flushed and compacted with dictionaries', async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'db');
    const db = await DB.open(path, options);
    fill(db, 0, 3000);
    await db.flush();
    // What overlaps is rewritten, not moved.
    const rows = fill(db, 0, 4000);
    await db.compactRange();
    expect(db.getLiveFilesMetaData().length).toBeGreaterThan(1);
    rows.push(...fill(db, 4000, 5000));
    await db.flush();
    expect(new Set(db.getLiveFilesMetaData().map(({ level }) => level)).size).toBe(2);
    expect(scanForward(db)).toEqual(rows);
    await db.close();
    for (const name of readdirSync(path).filter((file) => file.endsWith('.sst'))) {
      expect((await dictionaryOf(join(path, name))).length, name).toBe(4096);
    }
    expectReadableByRocksDB(path, new Map([['default', rows]]));
  });

  testWithTools('R8 ldb and ours give a flushed table the same dictionary, and read each other', async () => {
    using directory = temporaryDirectory();
    const theirs = join(directory.path, 'theirs');
    const db = await DB.open(theirs, { ...options, compressionOptions: { maxDictBytes: 3000 } });
    const rows = fill(db, 0, 2000);
    await db.close();
    // ldb replays the log and flushes it when it opens.
    const flags = [`--compression_type=${compression}`, '--compression_max_dict_bytes=3000'];
    const put = runTool('ldb', [`--db=${theirs}`, ...flags, 'put', 'zzz', 'last']);
    expect(put.out).toMatch(/^OK/);
    const [name] = readdirSync(theirs).filter((file) => file.endsWith('.sst'));
    const ours = await DB.open(join(directory.path, 'ours'), {
      ...options,
      compressionOptions: { maxDictBytes: 3000 },
    });
    fill(ours, 0, 2000);
    await ours.flush();
    const [table] = ours.getLiveFilesMetaData();
    await ours.close();
    const dictionary = await dictionaryOf(join(directory.path, 'ours', table!.name));
    expect(dictionary.length).toBe(3000);
    expect(Buffer.compare(dictionary, await dictionaryOf(join(theirs, name!)))).toBe(0);
    await using again = await DB.open(theirs, options);
    expect(scanForward(again).slice(0, 2000)).toEqual(rows);
  });
});
