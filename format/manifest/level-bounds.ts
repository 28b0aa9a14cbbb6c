/**
 * The boundaries of a level's tables, laid out for lookups, which search them for every key: user keys as views made once,
 * and in the bytewise order six bytes of each, behind what all of them begin with, as numbers side by side. The numbers
 * decide nearly all steps without a look at a key.
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts';
import { SENTINEL_SEQUENCE, sequenceOf } from '../base/internal-key.ts';
import type { FileMetadata } from './file-metadata.ts';
import { rangeOfFile } from './file-range.ts';

/** A number holds so many bytes exactly. */
const WORD_BYTES = 6;
const TWO_24 = 2 ** 24;

/** Whether the file's largest key is the exclusive end of a range tombstone rather than a key of the file. */
export function hasExclusiveLargest(file: FileMetadata): boolean {
  return sequenceOf(file.largest) === SENTINEL_SEQUENCE;
}

/** See the head of this file. */
export class LevelBounds {
  readonly smallest: readonly Uint8Array[];
  readonly largest: readonly Uint8Array[];
  readonly #files: readonly FileMetadata[];
  readonly #comparator: Comparator;
  /** What all boundaries begin with; `undefined` where there are no words. */
  readonly #common: Uint8Array | undefined;
  readonly #smallestWords: Float64Array;
  readonly #largestWords: Float64Array;

  /** `sorted`: the tables stand in the order of their keys. */
  constructor(comparator: Comparator, files: readonly FileMetadata[], sorted: boolean) {
    this.#comparator = comparator;
    this.#files = files;
    this.smallest = files.map((file) => rangeOfFile(file).smallest);
    this.largest = files.map((file) => rangeOfFile(file).largest);
    const hasWords = sorted && comparator === bytewiseComparator && files.length > 0;
    this.#common = hasWords ? commonPrefix(this.smallest[0]!, this.largest.at(-1)!) : undefined;
    const at = this.#common?.length ?? 0;
    const words = (keys: readonly Uint8Array[]): Float64Array =>
      Float64Array.from(hasWords ? keys.map((key) => wordOf(key, at)) : []);
    this.#smallestWords = words(this.smallest);
    this.#largestWords = words(this.largest);
  }

  /** Index of the first table whose largest key is at or behind `userKey`; the number of tables when there is none. */
  find(userKey: Uint8Array): number {
    return this.#isCommon(userKey)
      ? this.#findByWord(userKey, wordOf(userKey, this.#common!.length))
      : this.#findByKey(userKey, 0, this.largest.length);
  }

  /** Index of the table whose range holds `userKey`, -1 if there is none. */
  findHolding(userKey: Uint8Array): number {
    if (!this.#isCommon(userKey)) {
      const index = this.#findByKey(userKey, 0, this.largest.length);
      return index < this.largest.length && this.#beginsAtOrBefore(index, userKey) ? index : -1;
    }
    const word = wordOf(userKey, this.#common!.length);
    const index = this.#findByWord(userKey, word);
    if (index === this.largest.length) return -1;
    const first = this.#smallestWords[index]!;
    return first < word || (first === word && this.#beginsAtOrBefore(index, userKey)) ? index : -1;
  }

  /** Whether the range of the `index`th table holds `userKey`. */
  holds(index: number, userKey: Uint8Array): boolean {
    return this.#beginsAtOrBefore(index, userKey) && !this.#endsBefore(index, userKey);
  }

  #beginsAtOrBefore(index: number, userKey: Uint8Array): boolean {
    return this.#comparator.compare(this.smallest[index]!, userKey) <= 0;
  }

  #endsBefore(index: number, userKey: Uint8Array): boolean {
    const order = this.#comparator.compare(this.largest[index]!, userKey);
    return order < 0 || (order === 0 && hasExclusiveLargest(this.#files[index]!));
  }

  #isCommon(userKey: Uint8Array): boolean {
    const common = this.#common;
    if (common === undefined || userKey.length < common.length) return false;
    for (let i = 0; i < common.length; i++) if (userKey[i] !== common[i]) return false;
    return true;
  }

  #findByWord(userKey: Uint8Array, word: number): number {
    const words = this.#largestWords;
    let low = 0;
    let high = words.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[middle]! < word) low = middle + 1;
      else high = middle;
    }
    let equalEnd = low;
    while (equalEnd < words.length && words[equalEnd] === word) equalEnd++;
    return equalEnd === low ? low : this.#findByKey(userKey, low, equalEnd);
  }

  #findByKey(userKey: Uint8Array, from: number, to: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#endsBefore(middle, userKey)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function commonPrefix(a: Uint8Array, b: Uint8Array): Uint8Array {
  let size = 0;
  while (size < a.length && size < b.length && a[size] === b[size]) size++;
  return a.subarray(0, size);
}

/** The bytes from `at` on, zero-padded: in the order of the keys, but for keys that differ later. */
function wordOf(key: Uint8Array, at: number): number {
  if (key.length >= at + WORD_BYTES) {
    const high = (key[at]! << 16) | (key[at + 1]! << 8) | key[at + 2]!;
    const low = (key[at + 3]! << 16) | (key[at + 4]! << 8) | key[at + 5]!;
    return high * TWO_24 + low;
  }
  let word = 0;
  for (let i = at; i < at + WORD_BYTES; i++) word = word * 256 + (i < key.length ? key[i]! : 0);
  return word;
}
