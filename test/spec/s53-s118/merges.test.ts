/** Merge records through a database: read at any moment, folded by compactions, kept whole where the operator fails. */

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB, type MergeOperator, Statistics } from '../../../src/index.ts';
import { checkMergeLaws } from '../../../src/testing/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { ldbScan, runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { CountingEnv, numbered, quietOptions, rowsOf } from './file-counting.ts';

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

function number64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

function numberOf(bytes: Uint8Array | undefined): number {
  return Number(new DataView(bytes!.buffer, bytes!.byteOffset, 8).getBigUint64(0, true));
}

/** Joins with commas; throws when an operand says so. */
const joining: MergeOperator = {
  name: 'test.Joining',
  fullMerge: (_key, base, operands) => {
    const all = [...(base === undefined ? [] : [base]), ...operands].map((bytes) => Buffer.from(bytes).toString());
    if (all.includes('BAD')) throw new Error('an operand says so');
    return Buffer.from(all.join(','));
  },
};

describe('S114 merge records', () => {
  testWithTools('S114 stand in tables as MERGE, and C++ folds them to the same value', async () => {
    using directory = temporaryDirectory();
    const db = await DB.open(directory.path, {
      createIfMissing: true,
      disableAutoCompactions: true,
      mergeOperator: 'uint64add',
    });
    db.putSync('counter', number64(1));
    await db.flush();
    const snapshot = db.snapshot();
    db.mergeSync('counter', number64(10));
    db.mergeSync('counter', number64(100));
    await db.flush();
    expect(numberOf(db.getSync('counter'))).toBe(111);
    snapshot.release();
    const tables = db.getLiveFilesMetaData().map(({ name }) => name);
    await db.close();
    const dumps = tables.map(
      (name) => runTool('sst_dump', [`--file=${join(directory.path, name)}`, '--command=scan', '--output_hex']).out,
    );
    expect(dumps.join('\n')).toMatch(/type:2/);
    const again = await DB.open(directory.path, { mergeOperator: 'uint64add' });
    await again.compactRange();
    await again.close();
    expect(ldbScan(directory.path)).toEqual([
      `${Buffer.from('counter').toString('hex')}=${Buffer.from(number64(111)).toString('hex')}`,
    ]);
  });
});

describe('S115 S116 merge operators', () => {
  test('S115 the operator of a test keeps the laws that compactions rely on, though it returns Buffers', () => {
    expect(() => checkMergeLaws(joining)).not.toThrow();
    const forgetful: MergeOperator = { ...joining, fullMerge: (_key, _base, operands) => operands[0]! };
    expect(() => checkMergeLaws(forgetful)).toThrow(/test\.Joining/);
  });

  test('S116 a get at any moment equals the model, over flushes, compactions and snapshots', async () => {
    const random = new Random(seedFor(116));
    const db = await DB.open('/db', {
      ...quietOptions({ disableAutoCompactions: false }),
      mergeOperator: joining,
      level0FileNumCompactionTrigger: 3,
      writeBufferSize: 64 * 1024,
    });
    const model = new Map<string, string>();
    let kept: { snapshot: ReturnType<DB['snapshot']>; rows: string[] } | undefined;
    const rows = (): string[] => [...model].map(([key, value]) => `${key}=${value}`).sort();
    for (let step = 0; step < 4000; step++) {
      const key = numbered('key', random.below(30), 2);
      const operand = `${step}`;
      const choice = random.below(20);
      if (choice === 0) {
        db.deleteSync(key);
        model.delete(key);
      } else if (choice === 1) {
        db.putSync(key, operand);
        model.set(key, operand);
      } else {
        db.mergeSync(key, operand);
        const before = model.get(key);
        model.set(key, before === undefined ? operand : `${before},${operand}`);
      }
      expect(text(db.getSync(key))).toBe(model.get(key));
      if (random.oneIn(200)) await db.flush();
      if (random.oneIn(400)) {
        expect(await rowsOf(db)).toEqual(rows());
        if (kept !== undefined) {
          expect(await rowsOf(db, { snapshot: kept.snapshot })).toEqual(kept.rows);
          kept.snapshot.release();
        }
        kept = { snapshot: db.snapshot(), rows: rows() };
      }
      if (random.oneIn(1000)) await db.compactRange();
    }
    if (kept !== undefined) expect(await rowsOf(db, { snapshot: kept.snapshot })).toEqual(kept.rows);
    kept?.snapshot.release();
    await db.compactRange({ bottommostLevelCompaction: 'force' });
    expect(await rowsOf(db)).toEqual(rows());
    expect(db.getMapProperty('rocksdb.aggregated-table-properties')).toMatchObject({
      numEntries: String(model.size),
      numMergeOperands: '0',
    });
    await db.close();
  });

  test('S116 an operator that throws fails the read, keeps the operands, and loses nothing', async () => {
    const db = await DB.open('/db', quietOptions({ mergeOperator: joining }));
    db.putSync('good', 'a');
    db.mergeSync('good', 'b');
    db.putSync('bad', 'a');
    db.mergeSync('bad', 'BAD');
    const failed = expect.objectContaining({ code: 'MERGE_FAILED' });
    const check = async (): Promise<void> => {
      expect(() => db.getSync('bad')).toThrow(failed);
      await expect(db.get('bad')).rejects.toEqual(failed);
      expect(text(db.getSync('good'))).toBe('a,b');
      using iterator = db.newIterator();
      expect(() => iterator.seekSync('bad')).toThrow(failed);
      expect(iterator.status()).toEqual(failed);
    };
    await check();
    await db.flush();
    await check();
    await db.compactRange();
    await check();
    expect((await db.getMergeOperands('bad')).map(text)).toEqual(['BAD']);
    db.putSync('bad', 'mended');
    expect(text(db.getSync('bad'))).toBe('mended');
    await db.close();
  });

  test('S116 without an operator merges are refused', async () => {
    const db = await DB.open('/db', quietOptions());
    expect(() => db.mergeSync('key', 'operand')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    await expect(db.merge('key', 'operand')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await db.close();
  });
});

test('S117 a merge reads nothing, where a read-modify-write reads a block for each key', async () => {
  const env = new CountingEnv();
  const statistics = new Statistics();
  const options = quietOptions({ env: env.env, mergeOperator: 'uint64add' as const });
  const first = await DB.open('/db', options);
  for (let i = 0; i < 5000; i++) first.putSync(numbered('key', i), number64(i));
  await first.compactRange();
  await first.close();
  const db = await DB.open('/db', { ...options, noBlockCache: true, statistics });
  db.getSync('key000000');
  env.clear();
  for (let i = 0; i < 500; i++) db.mergeSync(numbered('key', i * 10), number64(1));
  expect(env.count(/^(read|open).*\.sst/)).toBe(0);
  for (let i = 0; i < 500; i++) {
    const key = numbered('key', i * 10 + 1);
    db.putSync(key, number64(numberOf(db.getSync(key)) + 1));
  }
  expect(env.count(/^read .*\.sst/)).toBeGreaterThanOrEqual(500);
  for (let i = 0; i < 500; i++) {
    expect(numberOf(db.getSync(numbered('key', i * 10)))).toBe(i * 10 + 1);
    expect(numberOf(db.getSync(numbered('key', i * 10 + 1)))).toBe(i * 10 + 2);
  }
  await db.close();
});

test('S118 the intent is applied by compaction: operands are pending before it, and none after', async () => {
  const db = await DB.open('/db', quietOptions({ mergeOperator: joining }));
  db.putSync('key', 'a');
  await db.flush();
  await db.compactRange({ changeLevel: true, targetLevel: 3 });
  db.mergeSync('key', 'b');
  db.mergeSync('key', 'c');
  expect((await db.getMergeOperands('key')).map(text)).toEqual(['b', 'c']);
  await db.compactRange();
  expect(await db.getMergeOperands('key')).toEqual([]);
  expect(text(db.getSync('key'))).toBe('a,b,c');
  await db.close();
});
