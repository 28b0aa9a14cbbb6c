/** Versions: what edits make of them, in which order tables stand, what is refused, and the searches. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../../format/base/bytes.ts';
import { bytewiseComparator, reverseBytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, SENTINEL_SEQUENCE, ValueType } from '../../../format/base/internal-key.ts';
import type { FileMetadata } from '../../../format/manifest/file-metadata.ts';
import { Version } from '../../../format/manifest/version.ts';
import { VersionBuilder } from '../../../format/manifest/version-builder.ts';
import type { VersionEdit } from '../../../format/manifest/version-edit.ts';
import { adding, deleting, table } from './edit-builders.ts';

function build(base: Version | undefined, ...edits: VersionEdit[]): Version {
  const builder = new VersionBuilder(base);
  for (const edit of edits) builder.apply(edit);
  return builder.finish(bytewiseComparator, 7);
}

function numbers(version: Version): number[][] {
  return version.levels.map((files) => files.map((file) => file.number));
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toMatchObject({ code: 'CORRUPTION' });
    return (error as Error).message;
  }
  throw new Error('was not refused');
}

/** Ends in the exclusive end of a range tombstone. */
function withSentinel(file: FileMetadata, end: string): FileMetadata {
  return { ...file, largest: makeInternalKey(utf8(end), SENTINEL_SEQUENCE, ValueType.rangeDeletion) };
}

describe('VersionBuilder', () => {
  test('level 0 is newest first, deeper levels by key', () => {
    const version = build(
      undefined,
      adding([0, table(4, 'a', 'z')], [0, table(6, 'a', 'z')], [0, table(5, 'a', 'z')]),
      adding([1, table(3, 'm', 'p')], [1, table(2, 'a', 'c')]),
    );
    expect(numbers(version)).toEqual([[6, 5, 4], [2, 3], [], [], [], [], []]);
    expect(version.levelBytes(1)).toBe(500);
    expect(version.totalBytes).toBe(2000);
    expect(version.totalFileCount).toBe(5);
    expect(version.nonEmptyLevelCount).toBe(2);
  });

  test('untouched levels are shared, a move keeps its number', () => {
    const base = build(undefined, adding([0, table(9, 'a', 'z')], [1, table(2, 'a', 'c')], [2, table(1, 'a', 'c')]));
    const moved = { ...deleting([1, 2]), newFiles: [{ level: 2, file: table(2, 'd', 'e') }] };
    const next = build(base, moved);
    expect(numbers(next).slice(0, 3)).toEqual([[9], [], [1, 2]]);
    expect(next.levels[0]).toBe(base.levels[0]);
    expect(numbers(base).slice(0, 3)).toEqual([[9], [2], [1]]);
  });

  test('level 0 by epoch where all have one, by number where a sequence is not known', () => {
    const epoch = (number: number, epochNumber: number): FileMetadata => ({ ...table(number, 'a', 'z'), epochNumber });
    expect(numbers(build(undefined, adding([0, epoch(1, 3)], [0, epoch(2, 1)], [0, epoch(3, 2)])))[0]).toEqual([
      1, 3, 2,
    ]);
    expect(numbers(build(undefined, adding([0, epoch(1, 3)], [0, epoch(2, 1)], [0, table(3, 'a', 'z')])))[0]).toEqual([
      3, 2, 1,
    ]);
    const unknown = { ...table(7, 'a', 'z', 0, 0), sequencesKnown: false };
    expect(numbers(build(undefined, adding([0, table(6, 'a', 'z', 900, 999)], [0, unknown])))[0]).toEqual([7, 6]);
  });

  test('what C++ RocksDB refuses is refused, in its words', () => {
    const base = build(undefined, adding([1, table(2, 'a', 'c')]));
    expect(refusal(() => build(base, deleting([1, 5])))).toBe(
      'VersionBuilder: Cannot delete table file #5 from level 1 since it is not in the LSM tree',
    );
    expect(refusal(() => build(base, deleting([0, 2])))).toBe(
      'VersionBuilder: Cannot delete table file #2 from level 0 since it is on level 1',
    );
    expect(refusal(() => build(base, adding([1, table(2, 'x', 'y')])))).toBe(
      'VersionBuilder: Cannot add table file #2 to level 1 since it is already in the LSM tree',
    );
    expect(refusal(() => build(base, adding([3, table(2, 'x', 'y')])))).toBe(
      'VersionBuilder: Cannot add table file #2 to level 3 since it is already in the LSM tree on level 1',
    );
    expect(refusal(() => build(base, adding([1, table(3, 'b', 'd')])))).toMatch(
      /L1 has overlapping ranges: file #2 largest key vs. file #3 smallest key/,
    );
    expect(refusal(() => build(base, adding([0, table(8, 'a', 'b', 10, 20)], [0, table(9, 'a', 'b', 5, 30)])))).toMatch(
      /L0 file #9 with seqno 5 30 vs. file #8 with seqno 10 20/,
    );
    expect(refusal(() => build(base, adding([1, table(3, 'z', 'x')])))).toMatch(/smallest key behind its largest/);
    expect(refusal(() => build(base, adding([8, table(3, 'x', 'z')])))).toMatch(/level 8 has tables/);
    expect(refusal(() => build(base, deleting([1, 2]), deleting([1, 2])))).toMatch(/not in the LSM tree/);
  });

  test('neighbours may share a user key, and an ingested table may lie between sequences', () => {
    const left = table(1, 'a', 'k', 50, 60);
    const right = table(2, 'k', 'z', 10, 40);
    expect(numbers(build(undefined, adding([1, right], [1, left])))[1]).toEqual([1, 2]);
    expect(
      numbers(build(undefined, adding([0, table(5, 'a', 'z', 10, 20)], [0, table(6, 'a', 'z', 15, 15)])))[0],
    ).toEqual([5, 6]);
  });

  test('an added and deleted table leaves no trace', () => {
    const version = build(
      undefined,
      adding([1, table(3, 'a', 'b')]),
      deleting([1, 3]),
      adding([2, table(3, 'a', 'b')]),
    );
    expect(numbers(version).slice(0, 3)).toEqual([[], [], [3]]);
  });
});

describe('Version', () => {
  const version = build(
    undefined,
    adding(
      [1, table(1, 'b', 'd')],
      [1, withSentinel(table(2, 'f', 'g'), 'h')],
      [1, table(3, 'h', 'k')],
      [1, table(4, 'k', 'm', 1, 2)],
    ),
    adding([0, table(8, 'a', 'c')], [0, table(9, 'x', 'z')]),
  );
  const overlapping = (level: number, begin?: string, end?: string): number[] =>
    version
      .filesOverlapping(level, begin === undefined ? undefined : utf8(begin), end === undefined ? undefined : utf8(end))
      .map((file) => file.number);

  test('tables that overlap a range, sentinels being exclusive', () => {
    expect(overlapping(1)).toEqual([1, 2, 3, 4]);
    expect(overlapping(1, 'a', 'a')).toEqual([]);
    expect(overlapping(1, 'd', 'f')).toEqual([1, 2]);
    expect(overlapping(1, 'h', 'h')).toEqual([3]);
    expect(overlapping(1, 'g5', 'g6')).toEqual([2]);
    expect(overlapping(1, 'k', 'k')).toEqual([3, 4]);
    expect(overlapping(1, 'e', 'e')).toEqual([]);
    expect(overlapping(1, undefined, 'b')).toEqual([1]);
    expect(overlapping(1, 'l')).toEqual([4]);
    expect(overlapping(0, 'b', 'y')).toEqual([9, 8]);
    expect(overlapping(0, 'd', 'w')).toEqual([]);
    expect(overlapping(6)).toEqual([]);
    expect(version.overlapInLevel(1, utf8('e'), utf8('e'))).toBe(false);
    expect(version.overlapInLevel(1, utf8('c'), utf8('e'))).toBe(true);
    expect(version.overlapInLevel(0, utf8('d'))).toBe(true);
  });

  test('the table of a key', () => {
    const find = (key: string, sequence: number): number | undefined =>
      version.levels[1]![version.findFile(1, makeInternalKey(utf8(key), sequence, ValueType.value))]?.number;
    expect(find('k', 99)).toBe(3);
    expect(find('k', 5)).toBe(4);
    expect(find('h', 99)).toBe(3);
    expect(find('n', 1)).toBeUndefined();
    expect(version.levels[1]![version.findFileForUserKey(1, utf8('k'))]!.number).toBe(3);
    expect(version.findByNumber(9)?.level).toBe(0);
    expect(version.findByNumber(77)).toBeUndefined();
  });

  test('the reverse order', () => {
    const builder = new VersionBuilder();
    builder.apply(adding([1, table(1, 'm', 'k')], [1, table(2, 'z', 'n')]));
    const reversed = builder.finish(reverseBytewiseComparator, 2);
    expect(numbers(reversed)).toEqual([[], [2, 1]]);
    expect(reversed.filesOverlapping(1, utf8('p'), utf8('l')).map((file) => file.number)).toEqual([2, 1]);
  });

  test('random searches agree with a walk', () => {
    for (let begin = 0x60; begin < 0x70; begin++)
      for (let end = begin; end < 0x70; end++) {
        const [from, to] = [String.fromCharCode(begin), String.fromCharCode(end)];
        const walked = version.levels[1]!.filter((file) => version.overlaps(file, utf8(from), utf8(to)));
        expect(overlapping(1, from, to)).toEqual(walked.map((file) => file.number));
      }
  });

  test('is released once, by its last user', () => {
    const released: Version[] = [];
    const counted = new Version(bytewiseComparator, [[]], (each) => released.push(each));
    counted.ref().unref();
    expect(released).toEqual([]);
    counted.unref();
    expect(released).toEqual([counted]);
    expect(() => counted.unref()).toThrowError(/released twice/);
    expect(() => counted.ref()).toThrowError(/referenced/);
  });
});
