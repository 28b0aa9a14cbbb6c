/** Flush and compaction jobs over tables in memory: what is dropped, what stays, where outputs end, what faults leave. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DBError } from '../../format/base/db-error.ts';
import { sequenceOf, userKeyOf, ValueType } from '../../format/base/internal-key.ts';
import { noIo } from '../../format/base/io.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { expectTablesSound, runTool, testWithTools } from '../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { operator, type Version } from './history.ts';
import { settingsWith } from './memory-compaction-io.ts';
import { SmallTree } from './small-tree.ts';

const { value, deletion, singleDeletion, merge } = ValueType;
const text = new TextDecoder();
const utf8 = new TextEncoder();

function version(key: string, sequence: number, type: number, content = `${key}${sequence}`): Version {
  return { key, sequence, type, value: type === value || type === merge ? content : '' };
}

/** `key#sequence,type=value` for each version. */
function show(versions: readonly Version[]): string[] {
  return versions.map((v) => `${v.key}#${v.sequence},${v.type}=${v.value}`);
}

function numberedKey(i: number): string {
  return `k${String(i).padStart(6, '0')}`;
}

describe('flush', () => {
  test('S111 writes one entry for each of ten keys overwritten 10,000 times', () => {
    const tree = new SmallTree();
    const versions: Version[] = [];
    for (let i = 0; i < 100_000; i++) versions.push(version(`key${i % 10}`, i + 1, value, String(i)));
    const { outputs, stats } = tree.flush(versions, []);
    expect(outputs).toHaveLength(1);
    expect(tree.versions().map((v) => v.value)).toEqual(
      ['90', '91', '92', '93', '94', '95', '96', '97', '98', '99'].map((d) => `999${d}`),
    );
    expect(stats.inputRecords).toBe(100_000);
    expect(stats.droppedHidden).toBe(99_990);
  });

  test('S112 writes only the tombstone of a put that was deleted, and both under a snapshot between them', () => {
    const history = [version('a', 1, value), version('a', 2, deletion)];
    const tree = new SmallTree();
    tree.flush(history, []);
    expect(show(tree.versions())).toEqual(['a#2,0=']);
    const withSnapshot = new SmallTree();
    withSnapshot.flush(history, [], { snapshots: [1] });
    expect(show(withSnapshot.versions())).toEqual(['a#2,0=', 'a#1,1=a1']);
  });

  test('a put and its single delete vanish together', () => {
    const tree = new SmallTree();
    const { outputs } = tree.flush([version('a', 1, value), version('a', 2, singleDeletion)], []);
    expect(outputs).toHaveLength(0);
  });

  test('an empty memtable makes no file', () => {
    const tree = new SmallTree();
    expect(tree.flush([], []).outputs).toHaveLength(0);
    expect(tree.io.files.size).toBe(0);
  });

  test('range tombstones alone make a file whose boundaries are theirs', () => {
    const tree = new SmallTree();
    const [file] = tree.flush([], [{ begin: 'b', end: 'f', sequence: 7 }]).outputs;
    expect(text.decode(userKeyOf(file!.smallest))).toBe('b');
    expect(text.decode(userKeyOf(file!.largest))).toBe('f');
    expect(sequenceOf(file!.largest)).toBe(2 ** 56);
    expect([file!.smallestSequence, file!.largestSequence]).toEqual([7, 7]);
  });

  test('metadata has exact keys and sequences', () => {
    const tree = new SmallTree();
    const [file] = tree.flush([version('m', 9, value), version('c', 4, value)], []).outputs;
    expect(text.decode(userKeyOf(file!.smallest))).toBe('c');
    expect(text.decode(userKeyOf(file!.largest))).toBe('m');
    expect([file!.smallestSequence, file!.largestSequence]).toEqual([4, 9]);
    expect(file!.sizeBytes).toBe(tree.io.files.get(file!.number)!.bytes.length);
  });
});

describe('compaction', () => {
  test('S48 ten overwrites and a delete leave nothing after a full compaction', () => {
    const tree = new SmallTree();
    for (let i = 1; i <= 10; i++) tree.flush([version('a', i, value)], []);
    tree.flush([version('a', 11, deletion)], []);
    const result = tree.compact(tree.plan(0, tree.levels[0]!, 1));
    expect(result.outputs).toHaveLength(0);
    expect(tree.versions()).toEqual([]);
    expect(result.stats.droppedHidden + result.stats.droppedObsolete).toBe(11);
  });

  test('a tombstone stays while a deeper level may hold the key, and goes where it cannot', () => {
    const tree = new SmallTree();
    tree.flush([version('a', 1, value), version('c', 2, value)], []);
    tree.compact(tree.plan(0, tree.levels[0]!, 3));
    tree.flush([version('a', 3, deletion), version('d', 4, deletion), version('z', 5, value)], []);
    tree.compact(tree.plan(0, tree.levels[0]!, 1));
    expect(show(tree.versionsOf(tree.levels[1]![0]!))).toEqual(['a#3,0=', 'z#5,1=z5']);
  });

  test('sequences become zero at the bottom below every snapshot', () => {
    const tree = new SmallTree();
    tree.flush([version('a', 1, value), version('a', 5, value), version('b', 2, value), version('c', 6, value)], [], {
      snapshots: [3],
    });
    const { stats } = tree.compact(tree.plan(0, tree.levels[0]!, 1), { snapshots: [3] });
    expect(show(tree.versions())).toEqual(['a#5,1=a5', 'a#0,1=a1', 'b#0,1=b2', 'c#6,1=c6']);
    expect(stats.zeroedSequences).toBe(2);
  });

  test('a bottommost delete over a snapshot stays only for versions that the snapshot sees', () => {
    const tree = new SmallTree();
    const snapshots = [3];
    tree.flush([version('a', 1, value), version('a', 5, deletion), version('b', 6, deletion)], [], { snapshots });
    tree.compact(tree.plan(0, tree.levels[0]!, 1), { snapshots });
    expect(show(tree.versions())).toEqual(['a#5,0=', 'a#0,1=a1']);
  });

  test('S116 merges operands with their put into one put, apart for each snapshot', () => {
    const components = { mergeOperator: operator };
    const history = [
      version('a', 1, value, 'x'),
      version('a', 2, merge, 'y'),
      version('a', 4, merge, 'z'),
      version('b', 5, merge, 'q'),
    ];
    const tree = new SmallTree();
    for (const v of history) tree.flush([v], [], {}, components);
    tree.compact(tree.plan(0, tree.levels[0]!, 1), {}, components);
    expect(show(tree.versions())).toEqual(['a#0,1=x,y,z', 'b#0,1=q']);
    const split = new SmallTree();
    for (const v of history) split.flush([v], [], { snapshots: [2] }, components);
    split.compact(split.plan(0, split.levels[0]!, 1), { snapshots: [2] }, components);
    expect(show(split.versions())).toEqual(['a#4,2=z', 'a#0,1=x,y', 'b#5,1=q']);
  });

  test('S116 an operator that throws loses nothing: operands and base stay as they were', () => {
    const failing: MergeOperator = {
      name: 'failing',
      fullMerge: () => {
        throw new Error('no');
      },
    };
    const tree = new SmallTree();
    tree.flush([version('a', 1, value, 'x')], []);
    tree.flush([version('a', 2, merge, 'y'), version('a', 3, merge, 'z')], [], {}, { mergeOperator: failing });
    const result = tree.compact(tree.plan(0, tree.levels[0]!, 1), {}, { mergeOperator: failing });
    expect(show(tree.versions())).toEqual(['a#3,2=z', 'a#2,2=y', 'a#0,1=x']);
    expect(result.stats.mergeFailures).toBe(1);
  });

  test('merge records without an operator are refused and the inputs stay', () => {
    const tree = new SmallTree();
    tree.flush([version('a', 2, merge, 'y')], [], {}, { mergeOperator: operator });
    tree.flush([version('a', 3, merge, 'y')], [], {}, { mergeOperator: operator });
    expect(() => tree.compact(tree.plan(0, tree.levels[0]!, 1))).toThrow(/no mergeOperator/);
    expect(tree.io.files.size).toBe(2);
    expect(tree.io.openInputs).toBe(0);
  });

  test('S59 the filter drops and changes what no snapshot sees, and only that', () => {
    const asked: string[] = [];
    const compactionFilter = {
      name: 'test',
      filter: (_level: number, key: Uint8Array, content: Uint8Array) => {
        asked.push(text.decode(key));
        if (text.decode(key) === 'b') return 'remove' as const;
        return text.decode(key) === 'c' ? { value: utf8.encode(`${text.decode(content)}!`) } : ('keep' as const);
      },
    };
    const tree = new SmallTree();
    const snapshots = [2];
    const history = [version('a', 1, value), version('b', 5, value), version('c', 6, value), version('d', 7, deletion)];
    tree.flush(history, [], { snapshots });
    const { stats } = tree.compact(tree.plan(0, tree.levels[0]!, 1), { snapshots }, { compactionFilter });
    expect(asked).toEqual(['b', 'c']);
    expect(show(tree.versions())).toEqual(['a#0,1=a1', 'c#6,1=c6!']);
    expect(stats.droppedByFilter).toBe(1);
  });

  test('a filter that throws fails the compaction, which leaves no file behind', () => {
    const tree = new SmallTree();
    tree.flush([version('a', 1, value)], []);
    const compactionFilter = {
      name: 'bad',
      filter: () => {
        throw new Error('no');
      },
    };
    expect(() => tree.compact(tree.plan(0, tree.levels[0]!, 1), {}, { compactionFilter })).toThrow(DBError);
    expect(tree.io.files.size).toBe(1);
  });

  test('outputs end near the target size, between user keys, synced and closed', () => {
    const tree = new SmallTree({ targetFileSizeBase: 20_000 });
    const versions: Version[] = [];
    for (let i = 0; i < 2000; i++) {
      for (let v = 0; v < 3; v++) versions.push(version(numberedKey(i), i * 3 + v + 1, value, 'x'.repeat(40)));
    }
    const snapshots = versions.map((v) => v.sequence);
    tree.flush(versions, [], { snapshots });
    const { outputs } = tree.compact(tree.plan(0, tree.levels[0]!, 1), { snapshots });
    expect(outputs.length).toBeGreaterThan(10);
    for (const file of outputs.slice(0, -1)) {
      expect(file.sizeBytes).toBeGreaterThan(18_000);
      expect(file.sizeBytes).toBeLessThan(24_000);
    }
    for (let i = 1; i < outputs.length; i++) {
      expect(text.decode(userKeyOf(outputs[i]!.smallest)) > text.decode(userKeyOf(outputs[i - 1]!.largest))).toBe(true);
    }
    expect([...tree.io.files.values()].every((file) => file.synced && file.closed)).toBe(true);
    expect(tree.versions()).toHaveLength(6000);
    expect(tree.io.throttled).toBeGreaterThan(200_000);
  });

  test('an output ends where it would overlap too many grandparents', () => {
    const tree = new SmallTree({ targetFileSizeBase: 1 << 20, maxCompactionBytes: 30_000 });
    const all: Version[] = [];
    for (let i = 0; i < 1000; i++) all.push(version(numberedKey(i), i + 1, value, 'x'.repeat(100)));
    // Grandparents in level 2, about ten of them.
    tree.options.targetFileSizeBase = 10_000;
    tree.flush(all, []);
    tree.compact(tree.plan(0, tree.levels[0]!, 2));
    expect(tree.levels[2]!.length).toBeGreaterThan(8);
    tree.options.targetFileSizeBase = 1 << 20;
    tree.flush(
      all.filter((_, i) => i % 10 === 0).map((v) => ({ ...v, sequence: v.sequence + 5000 })),
      [],
    );
    const { outputs } = tree.compact(tree.plan(0, tree.levels[0]!, 1));
    expect(outputs.length).toBeGreaterThan(3);
  });

  test('range tombstones are cut where outputs end, and cover the gap between them', () => {
    const tree = new SmallTree({ targetFileSizeBase: 4_000 });
    const old: Version[] = [];
    for (let i = 0; i < 400; i++) old.push(version(numberedKey(i), i + 1, value, 'x'.repeat(40)));
    tree.flush(old, []);
    tree.compact(tree.plan(0, tree.levels[0]!, 3));
    const fresh: Version[] = [];
    for (let i = 100; i < 400; i++) fresh.push(version(numberedKey(i), i + 2000, value, 'y'.repeat(40)));
    tree.flush(fresh, [{ begin: numberedKey(10), end: numberedKey(390), sequence: 1500 }]);
    const { outputs } = tree.compact(tree.plan(0, tree.levels[0]!, 1));
    expect(outputs.length).toBeGreaterThan(3);
    expect(text.decode(userKeyOf(outputs[0]!.smallest))).toBe(numberedKey(10));
    const parts = outputs.flatMap((file) => tree.tombstonesOf(file));
    expect(parts[0]!.begin).toBe(numberedKey(10));
    expect(parts[parts.length - 1]!.end).toBe(numberedKey(390));
    for (let i = 1; i < parts.length; i++) expect(parts[i]!.begin).toBe(parts[i - 1]!.end);
    for (const file of outputs.slice(0, -1)) expect(sequenceOf(file.largest)).toBe(2 ** 56);
  });

  test('range tombstones go at the bottom, with all that they cover', () => {
    const tree = new SmallTree();
    tree.flush([version('a', 1, value), version('b', 2, value), version('c', 3, value)], []);
    tree.flush([version('b', 9, value)], [{ begin: 'a', end: 'c', sequence: 5 }]);
    const { stats } = tree.compact(tree.plan(0, tree.levels[0]!, 1));
    expect(show(tree.versions())).toEqual(['b#0,1=b9', 'c#0,1=c3']);
    expect(tree.tombstones()).toEqual([]);
    expect([stats.inputTombstones, stats.outputTombstones, stats.droppedRangeDeleted]).toEqual([1, 0, 1]);
  });

  test('a failed append removes the outputs, closes the inputs and frees the memory', () => {
    const tree = new SmallTree({ targetFileSizeBase: 8_000 });
    const versions: Version[] = [];
    for (let i = 0; i < 1000; i++) versions.push(version(numberedKey(i), i + 1, value, 'x'.repeat(60)));
    tree.flush(versions, []);
    const plan = tree.plan(0, tree.levels[0]!, 1);
    const before = getKernel().x.allocatedBytes();
    for (let appends = 0; appends < 8; appends++) {
      tree.io.appendsLeft = appends;
      expect(() => tree.compact(plan)).toThrow('no space');
      expect(tree.io.files.size).toBe(1);
      expect(tree.io.openInputs).toBe(0);
    }
    expect(getKernel().x.allocatedBytes()).toBe(before);
  });

  test('a cancelled job ends with the error of the caller', () => {
    const tree = new SmallTree();
    tree.flush([version('a', 1, value)], []);
    tree.io.cancelled = new DBError('ABORTED', 'stop');
    expect(() => tree.compact(tree.plan(0, tree.levels[0]!, 1))).toThrow('stop');
    expect(tree.io.files.size).toBe(1);
  });

  test('a damaged input is reported with its file, and nothing is left behind', () => {
    const tree = new SmallTree();
    const versions: Version[] = [];
    for (let i = 0; i < 200; i++) versions.push(version(numberedKey(i), i + 1, value));
    const [file] = tree.flush(versions, []).outputs;
    tree.io.files.get(file!.number)!.bytes[700]! ^= 0x10;
    expect(() => tree.compact(tree.plan(0, tree.levels[0]!, 1))).toThrow(new RegExp(`checksum.*${file!.number}.sst`));
    expect(tree.io.files.size).toBe(1);
  });

  test('the job rests about every slice, and the async driver gives the same tables', async () => {
    const versions: Version[] = [];
    for (let i = 0; i < 3000; i++) versions.push(version(numberedKey(i % 700), i + 1, value, 'x'.repeat(50)));
    const sync = new SmallTree({ targetFileSizeBase: 10_000 });
    sync.flush(versions, []);
    sync.compact(sync.plan(0, sync.levels[0]!, 1));
    const async = new SmallTree({ targetFileSizeBase: 10_000 });
    async.flush(versions, []);
    await async.compactAsync(async.plan(0, async.levels[0]!, 1), {}, {});
    expect(async.io.rests).toBeGreaterThan(2);
    expect(show(async.versions())).toEqual(show(sync.versions()));
  });
});

describe('a compression dictionary', () => {
  const compressionOptions = { maxDictBytes: 1000 };
  const options = { compression: 'zlib', compressionOptions, targetFileSizeBase: 30_000 } as const;

  /** A tree with one table of similar entries, uncompressed. */
  function filledTree(): SmallTree {
    const tree = new SmallTree(options);
    const versions: Version[] = [];
    for (let i = 0; i < 4000; i++) versions.push(version(numberedKey(i), i + 1, value, `{"id":${i * 7919},"a":"b"}`));
    tree.flush(versions, []);
    return tree;
  }

  test('does not make files smaller than their target: the size that counts is that in the file', () => {
    const tree = filledTree();
    const before = show(tree.versions());
    const { outputs } = tree.compact(tree.plan(0, tree.levels[0]!, 1));
    expect(outputs.length).toBeGreaterThan(1);
    for (const { sizeBytes } of outputs.slice(0, -1)) {
      expect(sizeBytes).toBeGreaterThan(30_000);
      expect(sizeBytes).toBeLessThan(45_000);
    }
    expect(show(tree.versions()).map((row) => row.replace(/#0,/, '#'))).toEqual(
      before.map((row) => row.replace(/#\d+,/, '#')),
    );
  });

  test('the job rests and asks whether it is cancelled while the blocks kept for it are written', async () => {
    const tree = filledTree();
    const plan = { ...tree.plan(0, tree.levels[0]!, 1), targetFileSize: Number.POSITIVE_INFINITY };
    const settings = { tableOptions: { ...settingsWith().tableOptions, ...options } };
    await tree.compactAsync({ ...plan, compressionOptions: {} }, settings, {});
    const without = tree.io.rests;
    const other = filledTree();
    const before = other.io.throttled;
    await other.compactAsync(plan, settings, {});
    expect(other.io.rests).toBeGreaterThan(without + 3);
    expect(other.io.throttled - before).toBeGreaterThan(other.levels[1]![0]!.sizeBytes - 2 * 65_536);
    const stopped = filledTree();
    stopped.io.rest = function (this: typeof stopped.io) {
      if (++this.rests > without + 2) this.cancelled = new DBError('ABORTED', 'stop');
      return noIo();
    };
    await expect(stopped.compactAsync(plan, settings, {})).rejects.toThrow('stop');
    expect(stopped.io.files.size).toBe(1);
  });

  test('a failed append of what was kept removes the outputs and frees the memory', () => {
    const tree = filledTree();
    const before = getKernel().x.allocatedBytes();
    tree.io.appendsLeft = 0;
    expect(() => tree.compact(tree.plan(0, tree.levels[0]!, 1))).toThrow('no space');
    expect([tree.io.files.size, tree.io.openInputs, getKernel().x.allocatedBytes()]).toEqual([1, 0, before]);
  });
});

describe('C++ RocksDB', () => {
  testWithTools('finds every table of a compaction with cut range tombstones sound', () => {
    const tree = new SmallTree({ targetFileSizeBase: 4_000 });
    const old: Version[] = [];
    for (let i = 0; i < 400; i++) old.push(version(numberedKey(i), i + 1, value, 'x'.repeat(40)));
    tree.flush(old, []);
    tree.compact(tree.plan(0, tree.levels[0]!, 3));
    tree.flush(
      [version(numberedKey(50), 2000, value), version(numberedKey(300), 2001, singleDeletion)],
      [{ begin: numberedKey(10), end: numberedKey(390), sequence: 1500 }],
    );
    tree.compact(tree.plan(0, tree.levels[0]!, 1), { snapshots: [1400, 1600] });
    using temporary = temporaryDirectory();
    const directory = temporary.path;
    for (const file of tree.levels.flat()) {
      writeFileSync(
        join(directory, `${String(file.number).padStart(6, '0')}.sst`),
        tree.io.files.get(file.number)!.bytes,
      );
    }
    expect(expectTablesSound(directory)).toBe(tree.levels.flat().length);
    const [upper] = tree.levels[1]!;
    const path = join(directory, `${String(upper!.number).padStart(6, '0')}.sst`);
    const scan = runTool('sst_dump', [`--file=${path}`, '--command=scan']).out;
    expect(scan).toContain(`'${numberedKey(50)}' seq:2000, type:1 => ${numberedKey(50)}2000`);
  });
});
