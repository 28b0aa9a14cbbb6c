/**
 * Random histories with snapshots, tombstones of every kind and merges, flushed and compacted along random ways: no read,
 * at any live snapshot or at the end, may change. The model is a list of everything that was written.
 */
import { describe, expect, test } from 'vitest';
import { compareInternalKeys, sequenceOf, TRAILER_SIZE, ValueType } from '../../format/base/internal-key.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { Random, seedFor } from '../support/random.ts';
import { History, operator, readVersions, type TextTombstone, type Version } from './history.ts';
import { caselessKeys, type KeySpace, plainKeys, reverseKeys } from './key-space.ts';
import { readTable } from './memory-compaction-io.ts';
import { SmallTree } from './small-tree.ts';

const LATEST = 2 ** 53;
const KEYS = 40;
/** Keys that are only ever put once between two single deletes, as the contract of single deletes asks. */
const SINGLE_KEYS = 6;
const components = { mergeOperator: operator };

function keyName(i: number): string {
  return `key${String(i).padStart(3, '0')}`;
}

/** Writes random records into a history, and gives them out in memtable-sized stretches. */
class Writer {
  readonly history = new History();
  readonly singleLive = new Map<string, boolean>();
  sequence = 0;
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** The records of one memtable. */
  stretch(count: number): { versions: Version[]; tombstones: TextTombstone[] } {
    const versions: Version[] = [];
    const tombstones: TextTombstone[] = [];
    for (let i = 0; i < count; i++) {
      if (this.random.oneIn(25)) tombstones.push(this.#rangeDelete());
      else versions.push(this.random.oneIn(6) ? this.#single() : this.#point());
    }
    this.history.versions.push(...versions);
    this.history.tombstones.push(...tombstones);
    return { versions, tombstones };
  }

  #point(): Version {
    const sequence = ++this.sequence;
    const key = keyName(SINGLE_KEYS + this.random.below(KEYS - SINGLE_KEYS));
    const kind = this.random.below(10);
    if (kind < 5) return { key, sequence, type: ValueType.value, value: `v${sequence}`.padEnd(30, '.') };
    if (kind < 8) return { key, sequence, type: ValueType.merge, value: `m${sequence}` };
    return { key, sequence, type: ValueType.deletion, value: '' };
  }

  #single(): Version {
    const sequence = ++this.sequence;
    const key = keyName(this.random.below(SINGLE_KEYS));
    const live = this.singleLive.get(key) ?? false;
    this.singleLive.set(key, !live);
    return live
      ? { key, sequence, type: ValueType.singleDeletion, value: '' }
      : { key, sequence, type: ValueType.value, value: `s${sequence}` };
  }

  /** Spares the keys of single deletes: mixing the two is outside their contract. */
  #rangeDelete(): TextTombstone {
    const first = SINGLE_KEYS + this.random.below(KEYS - SINGLE_KEYS);
    const last = Math.min(KEYS + 2, first + this.random.between(1, 12));
    return { begin: keyName(first), end: keyName(last), sequence: ++this.sequence };
  }
}

function checkReads(tree: SmallTree, history: History, snapshots: readonly number[], what: string): void {
  const versions = tree.versions();
  const tombstones = tree.tombstones();
  for (const snapshot of [...snapshots, LATEST]) {
    for (let i = 0; i < KEYS; i++) {
      const key = keyName(i);
      const found = readVersions(versions, tombstones, key, snapshot);
      const expected = history.read(key, snapshot);
      if (found !== expected) expect({ what, key, snapshot, found }).toEqual({ what, key, snapshot, found: expected });
    }
  }
}

/** Files of a sorted level do not overlap, and their metadata tells what is in them. */
function checkFiles(tree: SmallTree): void {
  for (const [level, files] of tree.levels.entries()) {
    for (const [i, file] of files.entries()) {
      if (level > 0 && i > 0) {
        const order = compareInternalKeys(tree.keys.comparator, files[i - 1]!.largest, file.smallest);
        expect(order).toBeLessThan(0);
      }
      const entries = readTable(tree.io, file);
      for (const [at, { key }] of entries.entries()) {
        expect(key.length).toBeGreaterThanOrEqual(TRAILER_SIZE);
        expect(compareInternalKeys(tree.keys.comparator, file.smallest, key)).toBeLessThanOrEqual(0);
        expect(compareInternalKeys(tree.keys.comparator, key, file.largest)).toBeLessThanOrEqual(0);
        if (at > 0) expect(compareInternalKeys(tree.keys.comparator, entries[at - 1]!.key, key)).toBeLessThan(0);
      }
      const sequences = [
        ...entries.map(({ key }) => sequenceOf(key)),
        ...tree.tombstonesOf(file).map(({ sequence }) => sequence),
      ];
      expect([file.smallestSequence, file.largestSequence]).toEqual([Math.min(...sequences), Math.max(...sequences)]);
    }
  }
}

/** One random compaction of the tree as it stands; false when there is nothing to compact. */
function compactSomething(tree: SmallTree, random: Random, snapshots: readonly number[]): boolean {
  const levels = [0, 1, 2, 3].filter((level) => tree.levels[level]!.length > 0);
  if (levels.length === 0) return false;
  const level = random.pick(levels);
  const files = tree.levels[level]!;
  const settings = { snapshots };
  if (level === 0 && random.oneIn(3) && files.length > 1) {
    const first = random.below(files.length - 1);
    const run = files.slice(first, first + random.between(2, files.length - first));
    tree.compactWithin(run, settings, components);
    return true;
  }
  const outputLevel = Math.min(3, level + 1);
  tree.compact(tree.plan(level, [random.pick(files)], outputLevel), settings, components);
  return true;
}

/** Up to three keys of the history, in the order of the keys, some of them between two keys. */
function randomBoundaries(random: Random, keys: KeySpace): string[] {
  // The reverse order is the text's only for keys of one length.
  const endings = keys === reverseKeys ? [''] : ['', '~'];
  const names = Array.from({ length: random.below(4) }, () => keyName(random.below(KEYS + 2)) + random.pick(endings));
  return [...new Set(names)].sort((a, b) => keys.comparator.compare(keys.encode(a), keys.encode(b)));
}

function runHistory(seed: number, keys: KeySpace = plainKeys, divided = false): void {
  const random = new Random(seed);
  const writer = new Writer(random);
  const tree = new SmallTree({ targetFileSizeBase: random.pick([300, 1000, 10_000]), maxCompactionBytes: 5000 }, keys);
  if (divided) tree.boundariesOf = ({ outputLevel }) => (outputLevel === 0 ? [] : randomBoundaries(random, keys));
  let snapshots: number[] = [];
  for (let round = 0; round < 14; round++) {
    const before = writer.sequence;
    const { versions, tombstones } = writer.stretch(random.between(1, 60));
    // Taken while this memtable was written: what older ones held of hidden versions may be gone.
    if (random.oneIn(2)) snapshots.push(random.between(Math.max(1, before), writer.sequence));
    snapshots = [...new Set(snapshots)].sort((a, b) => a - b);
    tree.flush(versions, tombstones, { snapshots }, components);
    checkReads(tree, writer.history, snapshots, `flush, seed ${seed}`);
    for (let i = random.below(3); i > 0; i--) {
      if (compactSomething(tree, random, snapshots))
        checkReads(tree, writer.history, snapshots, `compaction, seed ${seed}`);
    }
    checkFiles(tree);
    if (random.oneIn(3) && snapshots.length > 0) snapshots.splice(random.below(snapshots.length), 1);
  }
  while (tree.levels[0]!.length > 0) tree.compact(tree.plan(0, tree.levels[0]!, 1), { snapshots: [] }, components);
  for (const level of [1, 2]) {
    while (tree.levels[level]!.length > 0) {
      tree.compact(tree.plan(level, tree.levels[level]!, level + 1), { snapshots: [] }, components);
    }
  }
  checkReads(tree, writer.history, [], `end, seed ${seed}`);
  // At the bottom with no snapshot only what a reader sees is left.
  const visible = Array.from({ length: KEYS }, (_, i) => keyName(i)).filter(
    (key) => writer.history.read(key, LATEST) !== undefined,
  );
  const bottom = tree.levels[3]!;
  if (bottom.length > 0) tree.compact(tree.plan(3, bottom, 3), { snapshots: [] }, components);
  expect(tree.versions().map(({ key, sequence }) => `${key}#${sequence}`)).toEqual(visible.map((key) => `${key}#0`));
  expect(tree.tombstones()).toEqual([]);
}

describe('random histories', () => {
  const first = seedFor(1);
  const count = process.env.PUMICE_SEED ? 1 : 30;
  test(`reads never change (seeds ${first} to ${first + count - 1})`, () => {
    for (let seed = first; seed < first + count; seed++) runHistory(seed);
  });

  test('reads never change under the reverse order and under a comparator in JavaScript', () => {
    const caseless = caselessKeys();
    for (let seed = first; seed < first + Math.ceil(count / 4); seed++) {
      runHistory(seed, reverseKeys);
      runHistory(seed, caseless);
    }
  });

  test('reads never change when compactions are divided at random keys, in any order of keys', () => {
    const caseless = caselessKeys();
    for (let seed = first; seed < first + count; seed++) runHistory(seed, plainKeys, true);
    for (let seed = first; seed < first + Math.ceil(count / 4); seed++) {
      runHistory(seed, reverseKeys, true);
      runHistory(seed, caseless, true);
    }
  });

  test.each([false, true])('nothing of the kernel memory is lost (divided: %s)', (divided) => {
    runHistory(7, plainKeys, divided);
    const before = getKernel().x.allocatedBytes();
    runHistory(7, plainKeys, divided);
    expect(getKernel().x.allocatedBytes()).toBe(before);
  });

  test('the check itself notices a version that should not be there', () => {
    const history = new History();
    history.versions.push({ key: 'a', sequence: 1, type: ValueType.value, value: 'x' });
    history.versions.push({ key: 'a', sequence: 2, type: ValueType.deletion, value: '' });
    expect(readVersions(history.versions.slice(0, 1), [], 'a', LATEST)).not.toBe(history.read('a', LATEST));
  });
});
