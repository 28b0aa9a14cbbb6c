/**
 * Keys and values of every size and every byte: empty, one byte, larger than a log block, than a table block, than the write
 * buffer; and the sizes from which they are refused. Method: SHA-256 of what was put and of what comes back, in the memtable,
 * from level 0, after a compaction and after a reopen.
 */

import { createHash, randomFillSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { DB, Env, type Options, WriteBatch } from '../../../src/index.ts';
import { Random } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { expectRefused } from '../bad-input/refusal.ts';

const MIB = 1 << 20;

function sha256(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'absent' : createHash('sha256').update(bytes).digest('hex');
}

type Entry = readonly [key: Uint8Array, value: Uint8Array];

/** Puts the entries and reads them back from every place where they can be. */
async function roundTrip(path: string, entries: readonly Entry[], options: Options): Promise<void> {
  const sums = entries.map(([, value]) => sha256(value));
  const check = async (db: DB, place: string): Promise<void> => {
    for (const [i, [key]] of entries.entries()) {
      expect(sha256(await db.get(key)), `entry ${i} ${place}`).toBe(sums[i]);
      expect(sha256(db.getSync(key)), `entry ${i} ${place}`).toBe(sums[i]);
    }
    let count = 0;
    for await (const _ of db.keys()) count++;
    expect(count, place).toBe(new Set(entries.map(([key]) => sha256(key))).size);
  };
  {
    await using db = await DB.open(path, { createIfMissing: true, ...options });
    for (const [key, value] of entries) await db.put(key, value);
    await check(db, 'after the put');
  }
  await using db = await DB.open(path, options);
  await check(db, 'after a recovery');
  await db.flush();
  await check(db, 'after the flush');
  await db.compactRange({ bottommostLevelCompaction: 'force' });
  await check(db, 'after the compaction');
  await db.close();
  await using again = await DB.open(path, options);
  await check(again, 'after a reopen');
}

function everySize(): Entry[] {
  const random = new Random(101);
  const entries: Entry[] = [[new Uint8Array(0), new Uint8Array(0)]];
  for (let byte = 0; byte < 256; byte++) entries.push([Uint8Array.of(byte), Uint8Array.of(255 - byte)]);
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  entries.push([all, all], [all.toReversed(), new Uint8Array(0)]);
  // Around every length that some encoding changes at: varints, log blocks, table blocks.
  for (const size of [127, 128, 4095, 4096, 16_383, 16_384, 32_761, 32_768, 65_535, 65_536, 2_097_152]) {
    entries.push([random.bytes(Math.min(size, 70_000)), random.bytes(size)]);
  }
  entries.push([random.bytes(MIB), random.bytes(1)], [random.bytes(MIB), random.bytes(3 * MIB)]);
  return entries;
}

test('S1 S24 keys and values of every byte and of many sizes, on disk and in memory', async () => {
  using directory = temporaryDirectory();
  await roundTrip(directory.path, everySize(), { writeBufferSize: 4 * MIB });
  await roundTrip('/db', everySize(), { env: Env.memory(), compression: 'none', writeBufferSize: MIB });
}, 60_000);

test('S1 S24 a value of 256 MiB', { timeout: 180_000 }, async () => {
  using directory = temporaryDirectory();
  const value = new Uint8Array(256 * MIB);
  for (let at = 0; at < value.length; at += 65_536) randomFillSync(value, at, 65_536);
  const sum = sha256(value);
  {
    await using db = await DB.open(directory.path, { createIfMissing: true });
    await db.put('large', value);
    expect(sha256(await db.get('large'))).toBe(sum);
    await db.flush();
    await db.put('small', 'x');
    await db.compactRange({ bottommostLevelCompaction: 'force' });
    expect(sha256(db.getSync('large'))).toBe(sum);
  }
  await using db = await DB.open(directory.path);
  expect(sha256(await db.get('large'))).toBe(sum);
});

test('S24 what is larger than the limits is refused by its size, and the database goes on', async () => {
  const env = Env.memory();
  await using db = await DB.open('/db', { env, createIfMissing: true, mergeOperator: 'stringappend' });
  const key = new Uint8Array(64 * MIB + 1);
  const value = new Uint8Array(256 * MIB + 1);
  const tooLarge = (action: () => unknown, what: string): Promise<void> =>
    expectRefused(action, 'INVALID_ARGUMENT', new RegExp(`${what} of \\d+ bytes is too large: the limit is \\d+`));
  await tooLarge(() => db.put(key, 'x'), 'key');
  await tooLarge(() => db.putSync('x'.repeat(key.length), 'x'), 'key');
  await tooLarge(() => db.put('é'.repeat(key.length / 2 + 1), 'x'), 'key');
  await tooLarge(() => db.delete(key), 'key');
  await tooLarge(() => db.deleteRange('a', key), 'end');
  await tooLarge(() => db.get(key), 'key');
  await tooLarge(() => db.getSync(key), 'key');
  await tooLarge(() => db.put('k', value), 'value');
  await tooLarge(() => db.mergeSync('k', value), 'operand');
  await tooLarge(() => new WriteBatch().put(key, 'x'), 'key');
  await tooLarge(() => new WriteBatch().put('x', value), 'value');
  const half = new Uint8Array(200 * MIB);
  await tooLarge(() => new WriteBatch().put('a', half).put('b', half), 'a batch');
  const sequence = db.latestSequence;
  expect(sequence).toBe(0);
  await db.put('a', 'goes on');
  expect(db.latestSequence).toBe(1);
});
