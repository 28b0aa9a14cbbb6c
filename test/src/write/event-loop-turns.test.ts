/** Writers that await one write after the other leave the event loop to others. */

import { expect, test } from 'vitest';
import { DB, Env, WriteBatch } from '../../../src/index.ts';

/** Turns of the event loop while `work` runs. */
async function turnsDuring(work: () => Promise<void>): Promise<number> {
  let turns = 0;
  let running = true;
  const count = (): void => {
    turns++;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  await work();
  running = false;
  return turns;
}

const openInMemory = (): Promise<DB> => DB.open('/db', { env: Env.memory(), createIfMissing: true });

test('batches that are awaited one after the other let the loop turn at least once in 256 KiB', async () => {
  await using db = await openInMemory();
  const value = new Uint8Array(1000);
  const turns = await turnsDuring(async () => {
    for (let i = 0; i < 200; i++) {
      const batch = new WriteBatch();
      for (let j = 0; j < 100; j++) batch.put(`${i}-${j}`, value);
      await db.write(batch);
    }
  });
  // 20 MB.
  expect(turns).toBeGreaterThanOrEqual(80);
});

test('small writes that are awaited one after the other let the loop turn', async () => {
  await using db = await openInMemory();
  const turns = await turnsDuring(async () => {
    for (let i = 0; i < 3200; i++) await db.put(`${i}`, 'x');
  });
  expect(turns).toBeGreaterThanOrEqual(90);
});

test('writes past the budget of a turn are readable at once, acknowledged in order, and none before its commit', async () => {
  await using db = await openInMemory();
  await db.put('first', 'x');
  const settled: number[] = [];
  const writes: Promise<void>[] = [];
  const value = new Uint8Array(100_000);
  for (let i = 0; i < 40; i++) {
    writes.push(
      db.put(`k${i}`, value).then(() => {
        expect(db.getSync(`k${i}`)?.length).toBe(value.length);
        settled.push(i);
      }),
    );
    // A put of this size commits before the call returns.
    expect(db.getSync(`k${i}`)?.length).toBe(value.length);
  }
  db.putSync('last', 'x');
  expect(settled).toEqual([]);
  await Promise.all(writes);
  expect(settled).toEqual(Array.from({ length: 40 }, (_, i) => i));
});

test('close waits for nobody and loses no acknowledgement', async () => {
  const db = await openInMemory();
  const value = new Uint8Array(700_000);
  const writes = [db.put('a', value), db.put('b', value), db.put('c', value)];
  await db.close();
  await Promise.all(writes);
});
