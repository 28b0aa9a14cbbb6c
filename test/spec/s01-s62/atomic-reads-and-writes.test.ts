/**
 * Batches are seen whole: many writers that keep a sum, many readers of every kind that check it. Method: for some seconds,
 * with memtables so small that flushes and compactions run all the time. PUMICE_ATOMIC_SECONDS sets how long.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type ColumnFamily, DB, Env, type Options, WriteBatch } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const SECONDS = Number(process.env.PUMICE_ATOMIC_SECONDS ?? 2);
const TIMEOUT_MS = (SECONDS + 60) * 1000;
const ACCOUNTS = 16;
const START = 1000;
const TOTAL = ACCOUNTS * START;

const SMALL: Options = {
  createIfMissing: true,
  createMissingColumnFamilies: true,
  columnFamilies: { default: {}, side: {} },
  writeBufferSize: 64 << 10,
  targetFileSizeBase: 64 << 10,
  maxBytesForLevelBase: 256 << 10,
  level0FileNumCompactionTrigger: 2,
};

function account(index: number): string {
  return `account${String(index).padStart(2, '0')}`;
}

function numberOf(value: Uint8Array | undefined): number {
  return Number(Buffer.from(value!));
}

/** Half of the accounts are in each family. */
class Bank {
  readonly balances = new Array<number>(ACCOUNTS).fill(START);
  readonly db: DB;
  readonly side: ColumnFamily;
  stop = false;
  writes = 0;
  reads = 0;

  constructor(db: DB) {
    this.db = db;
    this.side = db.columnFamily('side');
  }

  familyOf(index: number): 'side' | 'default' {
    return index % 2 === 0 ? 'default' : 'side';
  }

  /** Sets all accounts in one batch. */
  async open(): Promise<void> {
    const batch = new WriteBatch();
    for (const [index, balance] of this.balances.entries())
      batch.put(account(index), `${balance}`, this.familyOf(index));
    await this.db.write(batch);
  }

  async writer(seed: number): Promise<void> {
    const random = new Random(seed);
    while (!this.stop) {
      const batch = new WriteBatch();
      for (let moves = random.between(1, 4); moves > 0; moves--) {
        const [from, to] = [random.below(ACCOUNTS), random.below(ACCOUNTS)];
        const amount = random.below(100);
        this.balances[from]! -= amount;
        this.balances[to]! += amount;
        batch.put(account(from), `${this.balances[from]!}`, this.familyOf(from));
        batch.put(account(to), `${this.balances[to]!}`, this.familyOf(to));
        batch.put(`filler${random.below(200)}`, 'x'.repeat(random.below(400)));
      }
      this.writes++;
      if (random.oneIn(50)) this.db.writeSync(batch);
      else await this.db.write(batch);
    }
  }

  async reader(kind: number): Promise<void> {
    while (!this.stop) {
      const sum = await this.sumBy(kind);
      expect(sum, `reader ${kind} after ${this.reads} reads`).toBe(TOTAL);
      this.reads++;
      await new Promise(setImmediate);
    }
  }

  sumBy(kind: number): Promise<number> {
    if (kind % 4 === 0) return this.sumByMultiGet(false);
    if (kind % 4 === 1) return this.sumByMultiGet(true);
    return kind % 4 === 2 ? this.sumBySnapshot() : this.sumByIterators();
  }

  async sumByMultiGet(sync: boolean): Promise<number> {
    const keys = this.balances.map((_, index): string | [string, ColumnFamily] =>
      this.familyOf(index) === 'side' ? [account(index), this.side] : account(index),
    );
    const values = sync ? this.db.multiGetSync(keys) : await this.db.multiGet(keys);
    return values.reduce((sum, value) => sum + numberOf(value), 0);
  }

  async sumBySnapshot(): Promise<number> {
    using snapshot = this.db.snapshot();
    let sum = 0;
    for (const index of this.balances.keys()) {
      const source = this.familyOf(index) === 'side' ? this.side : this.db;
      sum += numberOf(await source.get(account(index), { snapshot }));
    }
    return sum;
  }

  /** Two iterators made in one turn show one point in time. */
  async sumByIterators(): Promise<number> {
    const bounds = { iterateLowerBound: 'account', iterateUpperBound: 'accounu' };
    using one = this.db.newIterator(bounds);
    using two = this.side.newIterator(bounds);
    let sum = 0;
    for (const cursor of [one, two]) {
      for (let valid = await cursor.seekToFirst(); valid; valid = await cursor.next()) sum += numberOf(cursor.value);
    }
    return sum;
  }
}

describe.each(['file system', 'memory'])('over the %s', (place) => {
  test('S2 8 writers keep a sum, and 8 readers never see another', { timeout: TIMEOUT_MS }, async () => {
    using directory = temporaryDirectory();
    const env = place === 'memory' ? Env.memory() : Env.default;
    await using db = await DB.open(join(directory.path, 'db'), { ...SMALL, env });
    const bank = new Bank(db);
    await bank.open();
    const seed = seedFor(202);
    const work = Array.from({ length: 8 }, (_, i) => [bank.writer(seed + i), bank.reader(i)]).flat();
    const end = Date.now() + SECONDS * 1000;
    // A slow machine takes longer to show enough.
    while (Date.now() < end || bank.writes <= 200 || bank.reads <= 50) await sleep(20);
    bank.stop = true;
    await Promise.all(work);
    for (let kind = 0; kind < 4; kind++) expect(await bank.sumBy(kind)).toBe(TOTAL);
    process.stdout.write(`S2 over the ${place}: ${bank.writes} batches, ${bank.reads} sums\n`);
    expect(bank.writes).toBeGreaterThan(200);
    expect(bank.reads).toBeGreaterThan(50);
    expect(db.getLiveFilesMetaData().length).toBeGreaterThan(0);
  });
});

test('S26 multiGet never mixes two states of a pair, in one family or in two', { timeout: TIMEOUT_MS }, async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(directory.path, SMALL);
  const side = db.columnFamily('side');
  let flips = 0;
  let stop = false;
  const flip = async (): Promise<void> => {
    while (!stop) {
      const text = `${flips++}`;
      await db.write(new WriteBatch().put('a', text).put('b', text).put('a', text, 'side').put('pad', 'x'.repeat(500)));
    }
  };
  await db.write(new WriteBatch().put('a', '-').put('b', '-').put('a', '-', 'side'));
  const writers = [flip(), flip()];
  const end = Date.now() + SECONDS * 1000;
  let reads = 0;
  while (Date.now() < end || reads < 1000 || flips <= 200) {
    const values =
      reads++ % 2 === 0 ? await db.multiGet(['a', 'b', ['a', side]]) : db.multiGetSync(['a', ['a', side], 'b']);
    const texts = values.map((value) => Buffer.from(value!).toString());
    expect(new Set(texts).size, texts.join(' ')).toBe(1);
    // Reads from memory resolve at once: without a turn of the event loop nobody else would run.
    if (reads % 8 === 0) await new Promise(setImmediate);
  }
  stop = true;
  await Promise.all(writers);
  process.stdout.write(`S26: ${flips} flips, ${reads} reads\n`);
  expect(flips).toBeGreaterThan(200);
});
