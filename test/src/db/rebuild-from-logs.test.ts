/** Logs on another disk, and a database made anew from them alone. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB, type Options, rebuildFromLogs } from '../../../src/index.ts';
import { nameFamilies } from '../../../src/db/repair/family-names.ts';
import { directoryFingerprint } from '../../support/directory-hash.ts';
import { Random } from '../../support/random.ts';
import { scanForward } from '../../support/read-database.ts';
import { expectReadableByRocksDB, rocksdbToolsInstalled } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const tools = rocksdbToolsInstalled();
const FAMILIES = { a: { mergeOperator: 'uint64add' }, b: {} };

/** Keeps every log. */
function options(logs: string): Options {
  return {
    walDir: logs,
    walTtlSeconds: 1_000_000,
    createIfMissing: true,
    createMissingColumnFamilies: true,
    columnFamilies: FAMILIES,
    writeBufferSize: 64 * 1024,
  };
}

async function fill(db: DB, seed: number): Promise<void> {
  const random = new Random(seed);
  const one = Buffer.alloc(8, 1);
  for (let i = 0; i < 2000; i++) {
    const key = String(random.below(300)).padStart(5, '0');
    const action = random.below(10);
    if (action < 3) await db.columnFamily('a').merge(key, one);
    else if (action === 3) await db.delete(key);
    else if (action === 4) await db.deleteRange(key, `${key}~`);
    else if (action < 7) await db.columnFamily('b').put(key, random.bytes(100));
    else await db.put(key, random.bytes(100));
    if (random.below(200) === 0) await db.flush();
  }
}

function rowsOf(db: DB): Map<string, string[]> {
  return new Map(['default', 'a', 'b'].map((name) => [name, scanForward(db.columnFamily(name))]));
}

describe('walDir', () => {
  test('S72 S73 all logs are in walDir, and a wiped data directory is rebuilt from them', async () => {
    using place = temporaryDirectory();
    const [data, logs] = [join(place.path, 'data'), join(place.path, 'logs')];
    for (const round of [1, 2]) {
      const db = await DB.open(data, options(logs));
      await fill(db, round);
      expect(readdirSync(data).filter((name) => name.endsWith('.log'))).toEqual([]);
      await db.close();
    }
    expect(readdirSync(join(logs, 'archive')).length).toBeGreaterThan(3);
    const before = await DB.open(data, options(logs));
    const expected = rowsOf(before);
    const { latestSequence } = before;
    await before.close();
    rmSync(data, { recursive: true });
    const logBytes = directoryFingerprint(logs);
    const report = await rebuildFromLogs(logs, data, options(logs));
    expect(report.columnFamilies).toEqual(['default', 'a', 'b']);
    expect(report.lastSequence).toBe(latestSequence);
    expect(report.drops).toEqual([]);
    expect(directoryFingerprint(logs)).toEqual(logBytes);
    if (tools) expectReadableByRocksDB(data, expected);
    const db = await DB.open(data, options(logs));
    expect(rowsOf(db)).toEqual(expected);
    expect(db.recovery.replayedFiles).toEqual([]);
    // And it goes on from there: what is written now is in the logs, too.
    await db.put('after', 'v');
    const again = rowsOf(db);
    await db.close();
    rmSync(data, { recursive: true });
    await rebuildFromLogs(logs, data, options(logs));
    await using last = await DB.open(data, options(logs));
    expect(rowsOf(last)).toEqual(again);
  });

  test('S72 a missing log, damage and a present database are refused', async () => {
    using place = temporaryDirectory();
    const [data, logs] = [join(place.path, 'data'), join(place.path, 'logs')];
    const db = await DB.open(data, options(logs));
    for (let i = 0; i < 5; i++) {
      await db.put(`k${i}`, 'v'.repeat(100));
      await db.flush();
    }
    const files = await db.getSortedWalFiles();
    await db.close();
    await expect(rebuildFromLogs(logs, data, options(logs))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const bytes = readFileSync(files[1]!.path);
    for (const [content, code] of [
      [Buffer.from(bytes).fill(1, 20, 30), 'CORRUPTION'],
      [undefined, 'NOT_FOUND'],
    ] as const) {
      if (content === undefined) rmSync(files[1]!.path);
      else writeFileSync(files[1]!.path, content);
      const target = join(place.path, 'target');
      await expect(rebuildFromLogs(logs, target, options(logs))).rejects.toMatchObject({ code });
      expect(readdirSync(target)).toEqual([]);
    }
    await expect(rebuildFromLogs(join(place.path, 'nowhere'), join(place.path, 't'), {})).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('names of families whose MANIFEST is gone', () => {
  const name = (known: [number, string][], names: string[], inLogs: number[]): [number, string][] =>
    [...nameFamilies({ known: new Map(known), names, inLogs: new Set(inLogs) })].sort((a, b) => a[0] - b[0]);

  test('ids follow the order of the names', () => {
    expect(name([], ['default', 'a', 'b'], [0, 2])).toEqual([
      [0, 'default'],
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(name([[2, 'b']], ['default', 'a', 'b', 'c'], [1])).toEqual([
      [0, 'default'],
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
  });

  test('where a family was dropped no name is guessed, and no id is lost', () => {
    expect(name([[4, 'b']], ['default', 'a', 'b'], [2])).toEqual([
      [0, 'default'],
      [2, 'recovered-2'],
      [4, 'b'],
      [5, 'a'],
    ]);
    expect(name([], ['default', 'a'], [1, 3])).toEqual([
      [0, 'default'],
      [1, 'recovered-1'],
      [3, 'recovered-3'],
      [4, 'a'],
    ]);
  });

  test('without any names the ids have names of their own', () => {
    expect(name([[7, 'seven']], [], [0, 1])).toEqual([
      [0, 'default'],
      [1, 'recovered-1'],
      [7, 'seven'],
    ]);
  });
});
