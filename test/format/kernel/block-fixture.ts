/** What the tests of blocks share: random sorted entries, kernel memory that frees itself, reading a cursor. */
import { bytewiseComparator, type Comparator } from '../../../format/base/comparator.ts';
import { compareInternalKeys, makeInternalKey } from '../../../format/base/internal-key.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import type { Random } from '../../support/random.ts';
import type { Entry } from './reference/block-reference.ts';

/** An order no built-in comparator has: by length first, then bytewise. */
export const lengthFirst: Comparator = {
  name: 'test.LengthFirst',
  compare: (a, b) => a.length - b.length || bytewiseComparator.compare(a, b),
};

/** Kernel memory for one test. */
export class Scratch {
  readonly kernel = getKernel();
  readonly #addresses: number[] = [];

  /** `size` bytes and slack. */
  room(size: number): number {
    const address = this.kernel.malloc(size + 16);
    this.#addresses.push(address);
    return address;
  }

  /** A copy of the bytes. */
  put(bytes: Uint8Array): number {
    const address = this.room(bytes.length);
    this.kernel.u8.set(bytes, address);
    return address;
  }

  /** Frees everything given out since the last call. */
  clear(): void {
    for (const address of this.#addresses.splice(0)) this.kernel.free(address);
  }
}

/** User keys of the awkward kind: shared prefixes, runs of 0x00 and 0xff, empty, one the prefix of another. */
export function randomUserKey(random: Random): Uint8Array {
  const stem = random.pick(['', 'key', 'key0000000', 'a-long-common-prefix-of-many-bytes/', '\0\0', 'ÿ']);
  const tail = random.oneIn(3) ? random.bytes(random.below(4)) : Buffer.from(String(random.below(500)));
  const pad = random.oneIn(20) ? Buffer.alloc(random.below(300), random.pick([0, 255, 97])) : Buffer.alloc(0);
  return new Uint8Array(Buffer.concat([Buffer.from(stem, 'latin1'), tail, pad]));
}

/** Internal keys with several versions here and there, sorted, with values of all small sizes. */
export function randomEntries(random: Random, count: number, comparator: Comparator): Entry[] {
  const entries = new Map<string, Entry>();
  for (let i = 0; i < count; i++) {
    const userKey = randomUserKey(random);
    const versions = random.oneIn(6) ? random.between(2, 12) : 1;
    for (let v = 0; v < versions; v++) {
      const sequence = random.oneIn(8) ? random.below(2 ** 53) : random.below(400);
      const key = makeInternalKey(userKey, sequence, random.pick([0, 1, 1, 1, 2, 7]));
      const value = random.bytes(random.oneIn(10) ? random.below(400) : random.below(20));
      entries.set(Buffer.from(key).toString('hex'), { key, value });
    }
  }
  return [...entries.values()].sort((a, b) => compareInternalKeys(comparator, a.key, b.key));
}

/** Key and value under a cursor as text, or 'end', or 'corrupt'. */
export function readCursor(cursor: number): string {
  const { u32, u8 } = getKernel();
  const head = cursor >>> 2;
  if (u32[head + 6] !== 0) return u32[head + 1] === 0 ? 'corrupt' : 'corrupt and valid';
  if (u32[head + 1] === 0) return 'end';
  const key = Buffer.from(u8.slice(u32[head + 2]!, u32[head + 2]! + u32[head + 3]!));
  const value = Buffer.from(u8.slice(u32[head + 4]!, u32[head + 4]! + u32[head + 5]!));
  return `${key.toString('hex')}=${value.toString('hex')}`;
}

/** The same text for an entry of the model. */
export function entryText(entry: Entry | undefined): string {
  if (entry === undefined) return 'end';
  return `${Buffer.from(entry.key).toString('hex')}=${Buffer.from(entry.value).toString('hex')}`;
}
