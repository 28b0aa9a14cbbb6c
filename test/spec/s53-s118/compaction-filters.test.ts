/** Compaction filters through a database: as an object, from a factory, and by module in worker threads. */

import { describe, expect, test } from 'vitest';
import { type CompactionFilter, DB, type Options } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { numbered, quietOptions, rowsOf } from './file-counting.ts';

/** Values begin with the second in which they were written. */
function olderThan(limit: () => number): CompactionFilter {
  return {
    name: 'test.OlderThan',
    filter: (_level, _key, value) =>
      Number(Buffer.from(value.subarray(0, 4)).toString()) < limit() ? 'remove' : 'keep',
  };
}

describe('S59 a filter deletes data older than a time', () => {
  test('S59 continuously, as compactions come by, without a delete of the application', async () => {
    let now = 0;
    const db = await DB.open('/db', {
      ...quietOptions({ disableAutoCompactions: false }),
      level0FileNumCompactionTrigger: 2,
      compactionFilter: olderThan(() => now - 10),
    });
    for (now = 0; now < 60; now++) {
      for (let i = 0; i < 10; i++) db.putSync(numbered(`k${i}-`, now), String(now).padStart(4, '0'));
      await db.flush();
    }
    await db.compactRange();
    const rows = await rowsOf(db);
    expect(rows).toHaveLength(100);
    expect(rows.every((row) => Number(row.slice(-4)) >= 50)).toBe(true);
    await db.close();
  });

  test('S59 a factory makes a filter for each compaction, and knows its kind', async () => {
    const made: { isFullCompaction: boolean; isManualCompaction: boolean }[] = [];
    const db = await DB.open(
      '/db',
      quietOptions({
        compactionFilterFactory: {
          name: 'test.Factory',
          createFilter: (context) => {
            made.push(context);
            return { name: 'test.All', filter: () => 'remove' };
          },
        },
      }),
    );
    for (let i = 0; i < 100; i++) db.putSync(numbered('key', i), 'v');
    await db.flush();
    expect(made).toEqual([]);
    await db.compactRange();
    expect(made.length).toBeGreaterThanOrEqual(1);
    expect(made.every(({ isManualCompaction }) => isManualCompaction)).toBe(true);
    expect(await rowsOf(db)).toEqual([]);
    await db.close();
  });

  test('S59 a filter given by module runs in worker threads', async () => {
    using directory = temporaryDirectory();
    const options: Options = {
      createIfMissing: true,
      disableAutoCompactions: true,
      compactionFilter: {
        module: new URL('./filter-module.mjs', import.meta.url),
        export: 'makeFilter',
        options: { drop: 'b' },
      },
    };
    const db = await DB.open(directory.path, options);
    for (const letter of ['a', 'b', 'c']) for (let i = 0; i < 50; i++) db.putSync(numbered(letter, i), 'v');
    await db.flush();
    await db.compactRange();
    const rows = await rowsOf(db);
    expect(rows).toHaveLength(100);
    expect(rows.some((row) => row.startsWith('b'))).toBe(false);
    await db.close();
  });
});

describe('S60 a filter changes values and drops keys', () => {
  test('S60 both verdicts, and what a snapshot sees stays as it was', async () => {
    const filter: CompactionFilter = {
      name: 'test.Upper',
      filter: (_level, key, value) => {
        const text = Buffer.from(key).toString();
        if (text.startsWith('drop')) return 'remove';
        if (text.startsWith('change')) return { value: Buffer.from(Buffer.from(value).toString().toUpperCase()) };
        return 'keep';
      },
    };
    const db = await DB.open('/db', quietOptions({ compactionFilter: filter }));
    for (const key of ['change1', 'drop1', 'keep1']) db.putSync(key, `${key} old`);
    const snapshot = db.snapshot();
    for (const key of ['change2', 'drop2', 'keep2']) db.putSync(key, `${key} new`);
    await db.flush();
    await db.compactRange();
    expect(await rowsOf(db)).toEqual([
      'change1=change1 old',
      'change2=CHANGE2 NEW',
      'drop1=drop1 old',
      'keep1=keep1 old',
      'keep2=keep2 new',
    ]);
    expect(await rowsOf(db, { snapshot })).toEqual(['change1=change1 old', 'drop1=drop1 old', 'keep1=keep1 old']);
    snapshot.release();
    await db.compactRange();
    expect(await rowsOf(db)).toEqual([
      'change1=CHANGE1 OLD',
      'change2=CHANGE2 NEW',
      'keep1=keep1 old',
      'keep2=keep2 new',
    ]);
    await db.close();
  });

  test('S60 a dropped key does not bring back what stands below it', async () => {
    let drop = false;
    const filter: CompactionFilter = {
      name: 'test.DropNew',
      filter: (_level, _key, value) => (drop && Buffer.from(value).toString() === 'new' ? 'remove' : 'keep'),
    };
    const db = await DB.open('/db', quietOptions({ compactionFilter: filter }));
    db.putSync('key', 'old');
    await db.flush();
    await db.compactRange({ changeLevel: true, targetLevel: 4 });
    db.putSync('key', 'new');
    await db.flush();
    drop = true;
    const level0 = db.getLiveFilesMetaData().filter(({ level }) => level === 0);
    await db.compactFiles(
      level0.map(({ name }) => name),
      1,
    );
    expect(db.getSync('key')).toBeUndefined();
    await db.compactRange();
    expect(db.getSync('key')).toBeUndefined();
    await db.close();
  });

  test('S60 a filter that throws fails the compaction, and nothing is lost', async () => {
    let fail = true;
    const filter: CompactionFilter = {
      name: 'test.Throws',
      filter: () => {
        if (fail) throw new Error('no');
        return 'keep';
      },
    };
    const db = await DB.open('/db', quietOptions({ compactionFilter: filter }));
    for (let i = 0; i < 10; i++) db.putSync(numbered('key', i), 'v');
    await db.flush();
    await expect(db.compactRange()).rejects.toMatchObject({ code: 'COMPACTION_FAILED' });
    expect(await rowsOf(db)).toHaveLength(10);
    fail = false;
    await db.resume();
    await db.compactRange();
    expect(await rowsOf(db)).toHaveLength(10);
    db.putSync('more', 'v');
    await db.close();
  });
});
