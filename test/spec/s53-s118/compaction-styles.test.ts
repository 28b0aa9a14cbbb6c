/** Compaction styles as a database runs them, checked after every change and read by the C++ tools. */

import { describe, expect, test } from 'vitest';
import { type CompactionEvent, DB, type Options } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { expectConsistent, ldbScan, runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { numbered, quietOptions, scanAll } from './file-counting.ts';

const SMALL: Options = {
  createIfMissing: true,
  writeBufferSize: 64 * 1024,
  targetFileSizeBase: 64 * 1024,
  maxBytesForLevelBase: 256 * 1024,
  maxBytesForLevelMultiplier: 4,
};

/** Overwrites in random order; the model has the rows as ldb prints them. */
async function overwrite(
  db: DB,
  model: Map<string, string>,
  random: Random,
  writes: number,
  keys: number,
): Promise<void> {
  for (let i = 0; i < writes; i++) {
    const key = numbered('key', random.below(keys));
    if (random.oneIn(10)) {
      db.deleteSync(key);
      model.delete(key);
    } else {
      const value = random.bytes(random.between(50, 150));
      db.putSync(key, value);
      model.set(key, Buffer.from(value).toString('hex'));
    }
    // Background work gets its turns.
    if (i % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function ldbRows(model: ReadonlyMap<string, string>): string[] {
  return [...model].map(([key, value]) => `${Buffer.from(key).toString('hex')}=${value}`).sort();
}

/** Sorted runs must not overlap in time: those of level 0 among each other, nor with deeper levels above them. */
function expectRunsInTimeOrder(db: DB): void {
  const { levels } = db.getColumnFamilyMetaData();
  const level0 = levels[0]!.files;
  for (let i = 0; i + 1 < level0.length; i++) {
    expect(level0[i]!.smallestSequence).toBeGreaterThan(level0[i + 1]!.largestSequence);
  }
}

/** No two tables of a level below 0 overlap. */
function expectLevelsInKeyOrder(db: DB): void {
  for (const { level, files } of db.getColumnFamilyMetaData().levels) {
    if (level === 0) continue;
    for (let i = 0; i + 1 < files.length; i++) {
      expect(Buffer.compare(files[i]!.largestKey, files[i + 1]!.smallestKey), `level ${level}`).toBeLessThan(0);
    }
  }
}

describe('S53 universal compaction', () => {
  testWithTools.each([1, 7])(
    'S53 merges runs that are adjacent in time; C++ reads the result (%i levels)',
    async (numLevels) => {
      using directory = temporaryDirectory();
      const events: CompactionEvent[] = [];
      let widths = 0;
      const db: DB = await DB.open(directory.path, {
        ...SMALL,
        numLevels,
        compactionStyle: 'universal',
        compactionOptionsUniversal: {
          sizeRatio: 10,
          minMergeWidth: 2,
          maxMergeWidth: 6,
          maxSizeAmplificationPercent: 150,
        },
        listeners: [
          {
            onCompactionBegin: (event) => {
              if (event.inputLevel !== 0) return;
              const order = db.getColumnFamilyMetaData().levels[0]!.files.map(({ fileNumber }) => fileNumber);
              const at = event.inputFiles
                .filter((number) => order.includes(number))
                .map((number) => order.indexOf(number));
              at.sort((a, b) => a - b);
              expect(at, 'inputs are neighbours').toEqual(at.map((_, i) => at[0]! + i));
              widths = Math.max(widths, event.inputFiles.length);
            },
            onCompactionCompleted: (event) => {
              events.push(event);
              expectRunsInTimeOrder(db);
              expectLevelsInKeyOrder(db);
            },
          },
        ],
      });
      const model = new Map<string, string>();
      await overwrite(db, model, new Random(seedFor(53)), 20_000, 4000);
      await db.flush();
      await db.close();
      expect(events.length).toBeGreaterThan(4);
      expect(new Set(events.map(({ reason }) => reason)).size).toBeGreaterThan(1);
      expect(widths).toBeGreaterThan(2);
      expectConsistent(directory.path);
      expect(ldbScan(directory.path)).toEqual(ldbRows(model));
      if (numLevels === 1) expect(events.every(({ outputLevel }) => outputLevel === 0)).toBe(true);
      const again = await DB.open(directory.path, { ...SMALL, numLevels, compactionStyle: 'universal' });
      expectRunsInTimeOrder(again);
      await again.compactRange();
      expect(again.getColumnFamilyMetaData().levels.filter(({ files }) => files.length > 0)).toHaveLength(1);
      await again.close();
      expect(ldbScan(directory.path)).toEqual(ldbRows(model));
    },
  );
});

describe('S54 level compaction', () => {
  testWithTools('S54 no overlap below level 0 after any change; C++ reads and compacts the result', async () => {
    using directory = temporaryDirectory();
    let compactions = 0;
    const db: DB = await DB.open(directory.path, {
      ...SMALL,
      listeners: [
        {
          onCompactionCompleted: (event) => {
            compactions++;
            expect(event.outputLevel - event.inputLevel).toBeLessThanOrEqual(1);
            expectLevelsInKeyOrder(db);
          },
        },
      ],
    });
    const model = new Map<string, string>();
    await overwrite(db, model, new Random(seedFor(54)), 40_000, 20_000);
    await db.flush();
    await db.close();
    expect(compactions).toBeGreaterThan(5);
    expectConsistent(directory.path);
    expect(ldbScan(directory.path)).toEqual(ldbRows(model));
    expect(runTool('ldb', [`--db=${directory.path}`, 'compact'])).toMatchObject({ code: 0 });
    expect(ldbScan(directory.path)).toEqual(ldbRows(model));
    const again = await DB.open(directory.path, SMALL);
    expect(scanAll(again)).toBe(model.size);
    await again.close();
  });
});

test('S53 FIFO drops the oldest tables once they are too many bytes, and rewrites nothing', async () => {
  const dropped: number[][] = [];
  const db = await DB.open('/db', {
    ...quietOptions({ disableAutoCompactions: false }),
    compactionStyle: 'fifo',
    compactionOptionsFifo: { maxTableFilesSize: 200_000 },
    compression: 'none',
    listeners: [
      {
        onCompactionCompleted: (event) => {
          dropped.push(event.inputFiles);
          expect(event.bytesWritten).toBe(0);
          expect(event.outputFiles).toEqual([]);
        },
      },
    ],
  });
  for (let table = 0; table < 20; table++) {
    for (let i = 0; i < 200; i++) db.putSync(numbered(`t${String(table).padStart(2, '0')}`, i), 'v'.repeat(100));
    await db.flush();
  }
  await db.pauseBackgroundWork();
  expect(db.getColumnFamilyMetaData().size).toBeLessThanOrEqual(200_000);
  const gone = dropped.flat();
  expect(gone.length).toBeGreaterThan(5);
  // The oldest went first, and what is left is the newest.
  expect(gone).toEqual(gone.toSorted((a, b) => a - b));
  expect(db.getSync(numbered('t00', 1))).toBeUndefined();
  expect(db.getSync(numbered('t19', 199))).toBeDefined();
  const left = db.getLiveFilesMetaData().map(({ fileNumber }) => fileNumber);
  expect(Math.min(...left)).toBeGreaterThan(Math.max(...gone));
  await db.close();
});

const VALUE = new Uint8Array(100);

test('S55 universal compaction writes less than level compaction and takes more space', async () => {
  const measure = async (compactionStyle: 'level' | 'universal'): Promise<{ write: number; peak: number }> => {
    let peak = 0;
    const db: DB = await DB.open('/db', {
      ...quietOptions({ disableAutoCompactions: false }),
      ...SMALL,
      maxBytesForLevelBase: 128 * 1024,
      maxBytesForLevelMultiplier: 10,
      // So many runs before any is merged: the fewer, the more often universal compaction rewrites the young ones.
      level0FileNumCompactionTrigger: 8,
      compactionStyle,
      compression: 'none',
      listeners: [
        {
          onTableFileCreated: () => {
            peak = Math.max(peak, db.getColumnFamilyMetaData().size);
          },
        },
      ],
    });
    const random = new Random(seedFor(55));
    for (let i = 0; i < 80_000; i++) {
      db.putSync(numbered('key', random.below(40_000)), VALUE);
      if (i % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await db.flush();
    await db.pauseBackgroundWork();
    const write = Number(db.getMapProperty('rocksdb.cfstats')!['compaction.Sum.WriteAmp']);
    await db.close();
    return { write, peak };
  };
  const level = await measure('level');
  const universal = await measure('universal');
  process.stderr.write(`S55 write amplification and peak bytes: ${JSON.stringify({ level, universal })}\n`);
  expect(universal.write).toBeLessThan(level.write);
  expect(universal.peak).toBeGreaterThan(level.peak);
});

describe('S97 S98 compaction by the application', () => {
  test('S97 50 tables of level 0 stay with disableAutoCompactions, until it is switched off', async () => {
    const db = await DB.open('/db', quietOptions());
    for (let table = 0; table < 50; table++) {
      db.putSync(numbered('key', table % 7), `${table}`);
      await db.flush();
    }
    expect(db.getProperty('rocksdb.num-files-at-level0')).toBe('50');
    // Nor do writes wait for compactions that nobody will make.
    expect(db.getProperty('rocksdb.is-write-stopped')).toBe('0');
    await db.setOptions({ disableAutoCompactions: false });
    for (let i = 0; i < 500 && Number(db.getProperty('rocksdb.num-files-at-level0')) > 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(Number(db.getProperty('rocksdb.num-files-at-level0'))).toBeLessThan(4);
    for (let key = 0; key < 7; key++) {
      const newest = key <= 0 ? 49 : 42 + key;
      expect(Buffer.from(db.getSync(numbered('key', key))!).toString()).toBe(`${newest}`);
    }
    await db.setOptions({ disableAutoCompactions: true });
    for (let table = 0; table < 6; table++) {
      db.putSync('again', `${table}`);
      await db.flush();
    }
    expect(Number(db.getProperty('rocksdb.num-files-at-level0'))).toBeGreaterThanOrEqual(6);
    await db.close();
  });

  test('S98 a policy of the application: compactFiles on what getLiveFilesMetaData shows', async () => {
    const db = await DB.open('/db', quietOptions({ targetFileSizeBase: 16 * 1024, compression: 'none' }));
    const random = new Random(seedFor(98));
    const model = new Map<string, string>();
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 300; i++) {
        const key = numbered('key', random.below(2000));
        db.putSync(key, `${round}-${i}`.padEnd(60, '.'));
        model.set(key, `${round}-${i}`.padEnd(60, '.'));
      }
      await db.flush();
      // Whenever level 0 has four tables, all of them go to level 2 with what they overlap there.
      const files = db.getLiveFilesMetaData();
      const level0 = files.filter(({ level }) => level === 0);
      if (level0.length < 4) continue;
      const names = [...level0, ...files.filter(({ level }) => level === 2)].map(({ name }) => name);
      const made = await db.compactFiles(names, 2);
      expect(made.length).toBeGreaterThan(1);
      const now = db.getLiveFilesMetaData();
      expect(now.map(({ name }) => name.replace('/', '')).sort()).toEqual(made.toSorted());
      expect(now.every(({ level }) => level === 2)).toBe(true);
      expectLevelsInKeyOrder(db);
    }
    for (const [key, value] of model) expect(Buffer.from(db.getSync(key)!).toString()).toBe(value);
    await db.close();
  });

  test('S98 refusals name what is wrong and leave everything as it is', async () => {
    const db = await DB.open('/db', quietOptions());
    for (let table = 0; table < 2; table++) {
      db.putSync('key', `${table}`);
      await db.flush();
    }
    const files = db.getLiveFilesMetaData().map(({ name }) => name);
    const invalid = { code: 'INVALID_ARGUMENT' };
    await expect(db.compactFiles([], 1)).rejects.toMatchObject(invalid);
    await expect(db.compactFiles(['000999.sst'], 1)).rejects.toMatchObject(invalid);
    await expect(db.compactFiles(['CURRENT'], 1)).rejects.toMatchObject(invalid);
    await expect(db.compactFiles(files, 7)).rejects.toMatchObject(invalid);
    expect(db.getLiveFilesMetaData().map(({ name }) => name)).toEqual(files);
    await db.close();
  });
});
