/**
 * A producer-consumer queue that outlives its process: elements live so briefly that the memtable absorbs them. An element
 * that is taken before its memtable is flushed never gets to a table, because a single delete and the one put before it
 * vanish together.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { DB, Statistics, WriteBatch } from '../../src/index.ts';
import { runAsProgram } from './run-as-program.ts';

const KEY_SIZE = 8;

function keyOf(index: number): Uint8Array {
  const key = Buffer.alloc(KEY_SIZE);
  // Big-endian, so that byte order is the order of arrival.
  key.writeBigUInt64BE(BigInt(index));
  return key;
}

function indexOf(key: Uint8Array): number {
  return Number(Buffer.from(key).readBigUInt64BE(0));
}

/** First in, first out. Any number of producers and consumers of one process may share it. */
export class Queue {
  readonly #db: DB;
  /** Index of the oldest element; the tombstones below it are never walked over. */
  #head: number;
  #tail: number;

  private constructor(db: DB, head: number, tail: number) {
    this.#db = db;
    this.#head = head;
    this.#tail = tail;
  }

  /** The queue that a database holds, which must hold nothing else; it stays the caller's to close. */
  static async over(db: DB): Promise<Queue> {
    using iterator = db.newIterator();
    if (!(await iterator.seekToFirst())) return new Queue(db, 0, 0);
    const head = indexOf(iterator.key);
    await iterator.seekToLast();
    return new Queue(db, head, indexOf(iterator.key) + 1);
  }

  get length(): number {
    return this.#tail - this.#head;
  }

  /** Adds an element; it survives a killed process when the promise settles. */
  push(value: Uint8Array | string): Promise<void> {
    return this.#db.put(keyOf(this.#tail++), value);
  }

  /**
   * Takes up to `count` elements, oldest first. They are removed before they are returned: a consumer that dies after this
   * has taken them.
   */
  take(count: number): Uint8Array[] {
    // No await in here: two consumers must not see the same elements.
    const end = Math.min(this.#head + count, this.#tail);
    const values: Uint8Array[] = [];
    const taken = new WriteBatch();
    for (let index = this.#head; index < end; index++) {
      const value = this.#db.getSync(keyOf(index));
      // The put is queued and not yet visible: the element, and those behind it, come with the next call.
      if (value === undefined) break;
      values.push(value);
      taken.singleDelete(keyOf(index));
    }
    if (values.length > 0) this.#db.writeSync(taken);
    this.#head += values.length;
    return values;
  }
}

/** Sends elements through, never many at once, and measures what of them got to tables. */
export async function main(directory: string) {
  const path = join(directory, 'queue');
  const statistics = new Statistics();
  const options = { createIfMissing: true, statistics, writeBufferSize: 1024 * 1024 };
  const total = 30_000;
  const value = Buffer.alloc(400, 'x');
  let db = await DB.open(path, options);
  let queue = await Queue.over(db);
  let taken = 0;
  let inOrder = true;
  const consume = (count: number) => {
    for (const element of queue.take(count)) inOrder &&= element[0] === taken++ % 251;
  };
  for (let i = 0; i < total; i++) {
    value[0] = i % 251;
    const pushed = queue.push(value);
    if (i % 16 === 0) {
      await pushed;
      consume(24);
    }
    if (i % 1000 === 0) await turn();
    if (i === total / 2) {
      await pushed;
      await db.close();
      db = await DB.open(path, options);
      queue = await Queue.over(db);
    }
  }
  await turn();
  while (queue.length > 0) {
    consume(24);
    await turn();
  }
  const bytesPut = total * (KEY_SIZE + value.length);
  const bytesFlushed = statistics.getTickerCount('rocksdb.flush.write.bytes');
  await db.close();
  return { taken, inOrder, bytesPut, bytesFlushed, flushedPercent: (100 * bytesFlushed) / bytesPut };
}

await runAsProgram(import.meta.url, main);
