/** Buffers that a caller gives may be changed after the call: `slice()` of a Buffer is a view, not a copy. */

import { expect, test } from 'vitest';
import { DB, fixedPrefix } from '../../../src/index.ts';
import { numbered, quietOptions } from './file-counting.ts';

async function filled(): Promise<DB> {
  const db = await DB.open('/db', quietOptions({ prefixExtractor: fixedPrefix(1) }));
  for (const letter of ['a', 'b', 'c']) for (let i = 0; i < 20; i++) db.putSync(numbered(letter, i), 'v');
  await db.flush();
  return db;
}

test('the bounds of an iterator stay as they were given', async () => {
  const db = await filled();
  const lower = Buffer.from('b');
  const upper = Buffer.from('c');
  using iterator = db.newIterator({ iterateLowerBound: lower, iterateUpperBound: upper });
  lower.write('a');
  upper.write('d');
  expect(iterator.seekSync('a')).toBe(true);
  expect(Buffer.from(iterator.key).toString()).toBe('b000000');
  expect(iterator.seekForPrevSync('c000010')).toBe(true);
  expect(Buffer.from(iterator.key).toString()).toBe('b000019');
  await db.close();
});

test('the prefix of a seek stays as it was given', async () => {
  const db = await filled();
  using iterator = db.newIterator({ prefixSameAsStart: true });
  const key = Buffer.from('b');
  let count = 0;
  for (let valid = iterator.seekSync(key); valid; valid = iterator.nextSync()) {
    key.write('x');
    count++;
  }
  expect(count).toBe(20);
  await db.close();
});

test('the range of a compaction stays as it was given', async () => {
  const db = await filled();
  const begin = Buffer.from('x');
  const end = Buffer.from('z');
  const compacting = db.compactRange({ begin, end });
  begin.write('a');
  end.write('d');
  await compacting;
  expect(db.getProperty('rocksdb.num-files-at-level0')).toBe('1');
  await db.close();
});
