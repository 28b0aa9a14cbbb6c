/**
 * A skip list over entries of a list, in one array of integers. A node is the index of its first integer:
 *
 *     node of an entry:  entry number | node before it, or 0 | next node on level 0, on level 1, ...
 *     head of a list:    height       | 0                    | first node of each level | last node of each level
 *
 * Index 0 stands for "no node". Each node has a random height: one in `BRANCHING` reaches the next level. The last node
 * of every level is kept too, so that a key beyond all others is appended without a search. Many lists may share one
 * array (`SkipNodes`), each with a head of its own. Nodes never move and are never removed, so a cursor that stands on
 * one stays right whatever is inserted.
 */
import type { MemTableRepIterator } from '../../format/base/memtable-rep.ts';
import { SeededRandom } from '../env/random.ts';
import { hasUserKeyOf } from './internal-key-order.ts';
import type { EntryList } from './sorted-view.ts';

/** RocksDB's figures. */
const HEIGHT_MAX = 12;
const BRANCHING = 4;

const ENTRY = 0;
const HEIGHT = 0;
const BEFORE = 1;
const NEXT = 2;
const LAST = NEXT + HEIGHT_MAX;
const HEAD_SIZE = LAST + HEIGHT_MAX;

/** Heights are drawn from this seed, so that equal inserts make equal lists. */
const SEED = 0xdecafbad;
const CLIMB_BELOW = 2 ** 32 / BRANCHING;

/** The nodes of one or many skip lists. */
export class SkipNodes {
  readonly entries: EntryList;
  /** Replaced when it grows: read it anew after an insert. */
  links = new Int32Array(256);
  /** Left behind by a search: the last node before its key, on each level. */
  readonly path = new Int32Array(HEIGHT_MAX);
  readonly #random = new SeededRandom(SEED);
  #used = 1;

  constructor(entries: EntryList) {
    this.entries = entries;
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#used * Int32Array.BYTES_PER_ELEMENT;
  }

  /** Room for `size` integers, all 0. */
  allocate(size: number): number {
    const node = this.#used;
    this.#used += size;
    if (this.#used > this.links.length) {
      const links = new Int32Array(this.links.length * 2);
      links.set(this.links);
      this.links = links;
    }
    return node;
  }

  /** A height for a new node. */
  drawHeight(): number {
    let height = 1;
    while (height < HEIGHT_MAX && this.#random.nextUint32() < CLIMB_BELOW) height++;
    return height;
  }
}

/** One skip list. */
export class SkipList {
  readonly #nodes: SkipNodes;
  readonly #head: number;

  constructor(nodes: SkipNodes) {
    this.#nodes = nodes;
    this.#head = nodes.allocate(HEAD_SIZE);
  }

  /** Takes both arrays. REQUIRES a key that is not in the list. */
  insert(key: Uint8Array, value: Uint8Array): void {
    const nodes = this.#nodes;
    const { path } = nodes;
    const head = this.#head;
    this.#findPath(key);
    const height = nodes.drawHeight();
    const node = nodes.allocate(NEXT + height);
    const { links } = nodes;
    links[node + ENTRY] = nodes.entries.append(key, value);
    for (let level = links[head + HEIGHT]!; level < height; level++) path[level] = head;
    if (height > links[head + HEIGHT]!) links[head + HEIGHT] = height;
    const after = links[path[0]! + NEXT]!;
    links[node + BEFORE] = path[0]! === head ? 0 : path[0]!;
    if (after !== 0) links[after + BEFORE] = node;
    for (let level = 0; level < height; level++) {
      const next = links[path[level]! + NEXT + level]!;
      links[node + NEXT + level] = next;
      links[path[level]! + NEXT + level] = node;
      if (next === 0) links[head + LAST + level] = node;
    }
  }

  /** The first entry >= target if it has target's user key. */
  get(target: Uint8Array): { key: Uint8Array; value: Uint8Array } | undefined {
    const { entries } = this.#nodes;
    const node = this.lowerBound(target);
    if (node === 0) return undefined;
    const entry = this.#nodes.links[node + ENTRY]!;
    const key = entries.keys[entry]!;
    return hasUserKeyOf(entries.compare, key, target) ? { key, value: entries.values[entry]! } : undefined;
  }

  /** The first node >= key, or 0; leaves the last node < key of each level in `path`. */
  lowerBound(key: Uint8Array): number {
    const { links, path } = this.#nodes;
    const { keys, compare } = this.#nodes.entries;
    let node = this.#head;
    let beyond = 0;
    for (let level = links[this.#head + HEIGHT]! - 1; level >= 0; level--) {
      let next = links[node + NEXT + level]!;
      // A node that was beyond the key one level up need not be compared again.
      while (next !== beyond && compare(keys[links[next + ENTRY]!]!, key) < 0) {
        node = next;
        next = links[node + NEXT + level]!;
      }
      beyond = next;
      path[level] = node;
    }
    return beyond;
  }

  /** The first node, or 0. */
  first(): number {
    return this.#nodes.links[this.#head + NEXT]!;
  }

  /** The last node, or 0. */
  last(): number {
    return this.#nodes.links[this.#head + LAST]!;
  }

  /** A cursor; it stays on its entry while others are inserted. */
  iterator(): MemTableRepIterator {
    return new SkipListIterator(this, this.#nodes);
  }

  /** Fills `path` with the last node < key of each level. */
  #findPath(key: Uint8Array): void {
    const { links, path } = this.#nodes;
    const { keys, compare } = this.#nodes.entries;
    const last = this.last();
    if (last === 0 || compare(keys[links[last + ENTRY]!]!, key) >= 0) {
      this.lowerBound(key);
      return;
    }
    for (let level = links[this.#head + HEIGHT]! - 1; level >= 0; level--) {
      path[level] = links[this.#head + LAST + level]!;
    }
  }
}

class SkipListIterator implements MemTableRepIterator {
  readonly #list: SkipList;
  readonly #nodes: SkipNodes;
  #node = 0;

  constructor(list: SkipList, nodes: SkipNodes) {
    this.#list = list;
    this.#nodes = nodes;
  }

  get valid(): boolean {
    return this.#node !== 0;
  }

  get key(): Uint8Array {
    return this.#nodes.entries.keys[this.#nodes.links[this.#node + ENTRY]!]!;
  }

  get value(): Uint8Array {
    return this.#nodes.entries.values[this.#nodes.links[this.#node + ENTRY]!]!;
  }

  seekToFirst(): void {
    this.#node = this.#list.first();
  }

  seekToLast(): void {
    this.#node = this.#list.last();
  }

  seek(target: Uint8Array): void {
    this.#node = this.#list.lowerBound(target);
  }

  seekForPrev(target: Uint8Array): void {
    this.seek(target);
    if (this.valid && this.#nodes.entries.compare(this.key, target) === 0) return;
    if (this.valid) this.prev();
    else this.seekToLast();
  }

  next(): void {
    this.#node = this.#nodes.links[this.#node + NEXT]!;
  }

  prev(): void {
    this.#node = this.#nodes.links[this.#node + BEFORE]!;
  }
}
