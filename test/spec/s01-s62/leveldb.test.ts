/** Directories that LevelDB wrote open, with every key, and can be written on. */

import { copyFileSync, cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { expect, test } from 'vitest';
import { DB } from '../../../src/index.ts';
import { Random } from '../../support/random.ts';
import { expectRows, scanForward } from '../../support/read-database.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('S16 what LevelDB wrote, deleted, compacted and left in its log reads the same', async () => {
  using directory = temporaryDirectory();
  const theirs = join(directory.path, 'leveldb');
  const level = new ClassicLevel<string, string>(theirs, { writeBufferSize: 64 << 10 });
  const random = new Random(1616);
  for (let i = 0; i < 3000; i++) {
    const key = `key${random.below(1500)}`;
    if (random.oneIn(5)) await level.del(key);
    else await level.put(key, `value ${i} `.repeat(random.between(1, 30)));
    if (i === 2000) await level.compactRange('a', 'z');
  }
  const rows: string[] = [];
  for await (const [key, value] of level.iterator()) {
    rows.push(`${Buffer.from(key).toString('hex')}=${Buffer.from(value).toString('hex')}`);
  }
  await level.close();
  const ours = join(directory.path, 'ours');
  cpSync(theirs, ours, { recursive: true });
  {
    await using db = await DB.open(ours, { readOnly: true });
    expect(scanForward(db)).toEqual(rows);
  }
  {
    await using db = await DB.open(ours);
    await expectRows(db, rows);
    await db.put('zzz', 'ours');
    await db.compactRange();
    await expectRows(db, [...rows, '7a7a7a=6f757273']);
  }
  await using db = await DB.open(ours);
  await expectRows(db, [...rows, '7a7a7a=6f757273']);
});

test('S16 a database that LevelDB still has open is not touched', async () => {
  using directory = temporaryDirectory();
  const level = new ClassicLevel<string, string>(directory.path);
  await level.put('a', 'one');
  // A copy without the lock is a crashed LevelDB: its log holds the write.
  const copy = join(directory.path, 'copy');
  mkdirSync(copy);
  for (const name of readdirSync(directory.path)) {
    if (name !== 'copy') copyFileSync(join(directory.path, name), join(copy, name));
  }
  await level.close();
  await using db = await DB.open(copy);
  expect(scanForward(db)).toEqual(['61=6f6e65']);
});
