/** Sub-compactions: where a compaction is divided, what each part is told, and that the parts together are the whole. */
import { describe, expect, test } from 'vitest';
import { bytewiseComparator } from '../../format/base/comparator.ts';
import type { CompactionFilter } from '../../format/base/compaction-filter.ts';
import { userKeyOf, ValueType } from '../../format/base/internal-key.ts';
import { noIo, runSync } from '../../format/base/io.ts';
import type { KeyAnchor } from '../../format/sst/key-anchors.ts';
import type { Compaction } from '../../compaction/compaction.ts';
import { runCompaction } from '../../compaction/compaction-job.ts';
import { divideCompaction, mayFormSubcompactions, subcompactionBoundaries } from '../../compaction/subcompactions.ts';
import type { Version } from './history.ts';
import { componentsWith, settingsWith } from './memory-compaction-io.ts';
import { SmallTree } from './small-tree.ts';

const text = new TextDecoder();
const utf8 = new TextEncoder();
const { value, deletion } = ValueType;

function keyName(i: number): string {
  return `key${String(i).padStart(4, '0')}`;
}

/** `count` values of 100 bytes, each key once. */
function values(count: number, sequence: number): Version[] {
  return Array.from({ length: count }, (_, i) => ({
    key: keyName(i),
    sequence: sequence + i,
    type: value,
    value: `${sequence}`.padEnd(100, '.'),
  }));
}

/** Two overlapping files in level 0, 1000 keys each, over files in level 1 with the same keys. */
function filledTree(targetFileSizeBase = 20_000): SmallTree {
  const tree = new SmallTree({ targetFileSizeBase, maxCompactionBytes: 1e9 });
  tree.flush(values(1000, 1), []);
  tree.compact(tree.plan(0, tree.levels[0]!, 1));
  tree.flush(values(1000, 2001), []);
  tree.flush(values(1000, 4001), []);
  return tree;
}

function levelZeroPlan(tree: SmallTree): Compaction {
  return tree.plan(0, tree.levels[0]!, 1);
}

function anchorsOf(tree: SmallTree, plan: Compaction): KeyAnchor[] {
  return plan.inputs
    .flatMap(({ files }) => files)
    .flatMap((file) => {
      const reader = runSync(tree.io.openTable(file));
      const anchors = runSync(reader.keyAnchors(noIo));
      reader.close();
      return anchors;
    });
}

function textAnchors(...anchors: [key: string, bytes: number][]): KeyAnchor[] {
  return anchors.map(([key, bytes]) => ({ userKey: utf8.encode(key), bytes }));
}

function boundaries(plan: Compaction, anchors: readonly KeyAnchor[], most: number): string[] {
  return subcompactionBoundaries(plan, anchors, most, bytewiseComparator).map((key) => text.decode(key));
}

describe('which compactions may be divided', () => {
  const plan = levelZeroPlan(filledTree());

  test('out of level 0, or asked for, or universal; not into level 0, not moves, not with one part', () => {
    expect(mayFormSubcompactions(plan, 'level', 4)).toBe(true);
    expect(mayFormSubcompactions(plan, 'level', 1)).toBe(false);
    expect(mayFormSubcompactions({ ...plan, kind: 'trivialMove' }, 'level', 4)).toBe(false);
    expect(mayFormSubcompactions({ ...plan, outputLevel: 0 }, 'level', 4)).toBe(false);
    expect(mayFormSubcompactions(plan, 'fifo', 4)).toBe(false);
    const deeper = { ...plan, inputs: plan.inputs.map((input) => ({ ...input, level: input.level + 1 })) };
    expect(mayFormSubcompactions(deeper, 'level', 4)).toBe(false);
    expect(mayFormSubcompactions({ ...deeper, manual: true }, 'level', 4)).toBe(true);
    expect(mayFormSubcompactions(deeper, 'universal', 4)).toBe(true);
  });

  test('not one whose inputs are no more than one output file', () => {
    expect(mayFormSubcompactions({ ...plan, targetFileSize: 1e9 }, 'level', 4)).toBe(false);
  });
});

describe('where it is divided', () => {
  const plan = { ...levelZeroPlan(filledTree()), targetFileSize: 100 };

  test("RocksDB's example: the first key whose stretches together exceed a part's share", () => {
    const anchors = textAnchors(
      ['key0001', 1000],
      ['key0003', 1200],
      ['key0005', 1100],
      ['key0002', 1100],
      ['key0004', 1000],
      ['key0006', 1000],
    );
    expect(boundaries(plan, anchors, 2)).toEqual(['key0003']);
  });

  test('no part is meant to be smaller than an output file', () => {
    const anchors = textAnchors(...Array.from({ length: 100 }, (_, i): [string, number] => [keyName(i), 10]));
    expect(boundaries({ ...plan, targetFileSize: 400 }, anchors, 8)).toEqual([keyName(40), keyName(80)]);
    expect(boundaries({ ...plan, targetFileSize: 1000 }, anchors, 8)).toEqual([]);
    expect(boundaries(plan, anchors, 8)).toHaveLength(7);
  });

  test('a key that many anchors share divides once, and none lies outside the inputs', () => {
    const anchors = textAnchors(['key0500', 900], ['key0500', 900], ['key0500', 900], ['zebra', 900]);
    expect(boundaries(plan, anchors, 4)).toEqual(['key0500']);
    expect(boundaries(plan, textAnchors(['a', 900], ['key0000', 900], ['zebra', 900]), 3)).toEqual([]);
    expect(boundaries(plan, [], 4)).toEqual([]);
  });

  test('anchors of real tables give parts of about the same size', () => {
    const tree = filledTree();
    const whole = levelZeroPlan(tree);
    const anchors = anchorsOf(tree, whole);
    const bytes = whole.inputs.flatMap(({ files }) => files).reduce((sum, file) => sum + file.sizeBytes, 0);
    expect(anchors.reduce((sum, anchor) => sum + anchor.bytes, 0)).toBeGreaterThan(bytes * 0.8);
    const keys = boundaries(whole, anchors, 4).map((key) => Number(key.slice(3, 7)));
    expect(keys).toHaveLength(3);
    for (const [i, key] of keys.entries()) expect(Math.abs(key - 250 * (i + 1))).toBeLessThan(60);
  });
});

describe('the parts', () => {
  test('have every input file in the ranges it reaches into, and all levels of the whole', () => {
    const tree = filledTree();
    const whole = levelZeroPlan(tree);
    const parts = divideCompaction(whole, [utf8.encode('key0300'), utf8.encode('key0600')], bytewiseComparator);
    expect(parts.map(({ bounds }) => [bounds?.begin, bounds?.end].map((key) => key && text.decode(key)))).toEqual([
      [undefined, 'key0300'],
      ['key0300', 'key0600'],
      ['key0600', undefined],
    ]);
    for (const part of parts) {
      expect(part.inputs.map(({ level }) => level)).toEqual([0, 1]);
      expect(part.inputs[0]!.files).toHaveLength(2);
      expect(part.inputs[1]!.files.length).toBeLessThan(whole.inputs[1]!.files.length);
    }
    const files = new Set(parts.flatMap(({ inputs }) => inputs[1]!.files));
    expect(files.size).toBe(whole.inputs[1]!.files.length);
  });

  test('without a boundary are the whole itself', () => {
    const whole = levelZeroPlan(filledTree());
    expect(divideCompaction(whole, [], bytewiseComparator)).toEqual([whole]);
  });

  test('write together what the whole writes, and count it once', () => {
    const single = filledTree();
    const expected = single.compact(levelZeroPlan(single));
    const tree = filledTree();
    tree.boundariesOf = () => ['key0250', 'key0500', 'key0750'];
    const result = tree.compact(levelZeroPlan(tree));
    expect(tree.versions()).toEqual(single.versions());
    const { stats } = result;
    for (const name of ['inputRecords', 'outputRecords', 'droppedHidden', 'bytesRead', 'inputFiles'] as const) {
      expect([name, stats[name]]).toEqual([name, expected.stats[name]]);
    }
    expect(stats.outputFiles).toBe(result.outputs.length);
    const firstKeys = result.outputs.map(({ smallest }) => text.decode(userKeyOf(smallest)));
    expect(firstKeys).toEqual([...firstKeys].sort());
    for (const key of ['key0250', 'key0500', 'key0750']) expect(firstKeys).toContain(key);
  });

  test('cut a range tombstone at the boundary, and each keeps its share', () => {
    const tree = new SmallTree({ targetFileSizeBase: 1e6 });
    // An older run keeps the tombstone alive.
    tree.flush(values(1000, 1), []);
    tree.compact(tree.plan(0, tree.levels[0]!, 1));
    tree.compact(tree.plan(1, tree.levels[1]!, 2));
    tree.flush(
      [{ key: 'key0000', sequence: 2001, type: value, value: 'x' }],
      [{ begin: 'key0100', end: 'key0900', sequence: 2002 }],
    );
    tree.boundariesOf = () => ['key0300', 'key0600'];
    const { outputs, stats } = tree.compact(tree.plan(0, tree.levels[0]!, 1));
    expect(outputs).toHaveLength(3);
    expect(outputs.map((file) => tree.tombstonesOf(file))).toEqual([
      [{ begin: 'key0100', end: 'key0300', sequence: 2002 }],
      [{ begin: 'key0300', end: 'key0600', sequence: 2002 }],
      [{ begin: 'key0600', end: 'key0900', sequence: 2002 }],
    ]);
    expect(stats.outputTombstones).toBe(3);
  });

  test('keep all versions of a boundary key on one side, and show it to the filter once', () => {
    const tree = new SmallTree({ targetFileSizeBase: 20_000 });
    const versions = values(500, 1000).flatMap((version, i) => [
      { ...version, sequence: 1 + i },
      { ...version, sequence: 600 + i, type: deletion, value: '' },
      version,
    ]);
    tree.flush(versions, [], { snapshots: [590, 1099] });
    const seen: string[] = [];
    const compactionFilter: CompactionFilter = {
      name: 'test.Counting',
      filter: (_level, key) => {
        seen.push(text.decode(key));
        return 'keep';
      },
    };
    tree.boundariesOf = () => [keyName(100), keyName(101), keyName(400)];
    tree.compact(tree.plan(0, tree.levels[0]!, 1), { snapshots: [590] }, { compactionFilter });
    expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => keyName(i)));
    expect(
      tree
        .versions()
        .filter(({ key }) => key === keyName(100))
        .map(({ sequence }) => sequence),
    ).toEqual([1100, 0]);
  });

  test('outside of all keys write nothing', () => {
    const tree = filledTree();
    const whole = levelZeroPlan(tree);
    const [, last] = divideCompaction(whole, [utf8.encode('zebra')], bytewiseComparator);
    const result = runSync(runCompaction(tree.io, last!, settingsWith(), componentsWith()));
    expect(result.outputs).toEqual([]);
    expect(tree.io.openInputs).toBe(0);
  });
});
