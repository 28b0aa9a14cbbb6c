/** Replaying edits: families, atomic groups, counters, and every contradiction that must be refused. */
import { describe, expect, test } from 'vitest';
import { concatBytes, fromHex, utf8 } from '../../../format/base/bytes.ts';
import { runSync } from '../../../format/base/io.ts';
import { LogWriter } from '../../../format/log/log-writer.ts';
import { readManifest } from '../../../format/manifest/manifest-reader.ts';
import { ManifestState } from '../../../format/manifest/manifest-state.ts';
import { emptyEdit, encodeVersionEdit, type VersionEdit } from '../../../format/manifest/version-edit.ts';
import { decodeVersionEdit } from '../../../format/manifest/version-edit-decoder.ts';
import { bytesFile, GrowingFile, randomBytes, seededRandom } from '../base/byte-files.ts';
import { adding, deleting, table } from './edit-builders.ts';

/** The internal key "a", a value of sequence 0, in hex. */
const KEY = `6101${'00'.repeat(7)}`;

const counters: VersionEdit = { ...emptyEdit(), logNumber: 4, nextFileNumber: 5, lastSequence: 9 };

function replay(...edits: VersionEdit[]): ManifestState {
  const state = new ManifestState('MANIFEST-000001');
  for (const [index, edit] of edits.entries()) state.applyEdit(edit, index);
  return state;
}

function manifest(...edits: VersionEdit[]): Uint8Array {
  const file = new GrowingFile();
  const writer = new LogWriter(file);
  for (const edit of edits) writer.add(encodeVersionEdit(edit));
  writer.flushSync();
  writer.close();
  return file.bytes;
}

const added = (id: number, name: string): VersionEdit => ({ ...emptyEdit(id), columnFamilyAdd: name, comparator: 'c' });
const dropped = (id: number): VersionEdit => ({ ...emptyEdit(id), columnFamilyDrop: true });
const inGroup = (edit: VersionEdit, remaining: number): VersionEdit => ({ ...edit, remainingInGroup: remaining });

describe('families', () => {
  test('come, hold tables and go', () => {
    const state = replay(
      counters,
      added(2, 'x'),
      { ...adding([0, table(7, 'a', 'b')]), columnFamily: 2 },
      added(3, 'y'),
      dropped(2),
    );
    expect([...state.families.values()].map(({ id, name }) => `${id} ${name}`)).toEqual(['0 default', '3 y']);
    expect(state.maxColumnFamily).toBe(3);
  });

  test.each([
    ['added twice by name', [added(1, 'x'), added(2, 'x')], /adding the same column family twice: x/],
    ['added twice by id', [added(1, 'x'), added(1, 'y')], /adding the same column family twice: y/],
    ['the default one added', [added(1, 'default')], /twice: default/],
    ['dropped without being there', [dropped(5)], /dropping non-existing column family/],
    ['the default one dropped', [dropped(0)], /dropping the default column family/],
    ['unknown', [{ ...emptyEdit(5), logNumber: 1 }], /referencing unknown column family 5/],
    ['dropped, then edited', [added(1, 'x'), dropped(1), { ...emptyEdit(1), logNumber: 1 }], /unknown column family 1/],
    ['with two comparators', [added(1, 'x'), { ...emptyEdit(1), comparator: 'd' }], /two comparators: c and d/],
    [
      'added with tables',
      [{ ...adding([0, table(1, 'a', 'b')]), ...{ columnFamily: 1, columnFamilyAdd: 'x' } }],
      /has files/,
    ],
    ['a table deleted that is not there', [deleting([0, 9])], /Cannot delete table file #9/],
  ] as [string, VersionEdit[], RegExp][])('refused: %s', (_, edits, message) => {
    expect(() => replay(...edits)).toThrowError(
      expect.objectContaining({ code: 'CORRUPTION', message: expect.stringMatching(message) }),
    );
  });
});

describe('counters', () => {
  test('are the largest seen, log numbers the last that is not smaller', () => {
    const state = replay(counters, {
      ...emptyEdit(),
      nextFileNumber: 3,
      lastSequence: 2,
      logNumber: 2,
      minLogNumberToKeep: 3,
    });
    expect([state.nextFileNumber, state.lastSequence, state.families.get(0)!.logNumber]).toEqual([5, 9, 4]);
    expect(state.minLogNumber).toBe(4);
    expect(replay(counters, added(1, 'x')).minLogNumber).toBe(0);
  });

  test('must all be given', () => {
    const finish = (edit: VersionEdit): void => replay(edit).finish();
    expect(() => finish(emptyEdit())).toThrowError(
      /no log_file_number, next_file_number, last_sequence entry in MANIFEST/,
    );
    expect(() => finish({ ...emptyEdit(), logNumber: 1, nextFileNumber: 1 })).toThrowError(/no last_sequence entry/);
    finish(counters);
  });

  test('tracked logs come and go', () => {
    const state = replay(
      {
        ...emptyEdit(),
        walAdditions: [
          { number: 4, syncedSize: undefined },
          { number: 6, syncedSize: 10 },
        ],
      },
      { ...emptyEdit(), walAdditions: [{ number: 6, syncedSize: 30 }], walDeletion: 5 },
    );
    expect([...state.wals]).toEqual([[6, 30]]);
  });
});

describe('atomic groups', () => {
  test('apply whole or not at all', () => {
    const state = replay(counters, added(1, 'x'));
    state.applyEdit(inGroup({ ...emptyEdit(), logNumber: 20 }, 1), 3);
    expect(state.families.get(0)!.logNumber).toBe(4);
    state.applyEdit(inGroup({ ...emptyEdit(1), logNumber: 20 }, 0), 4);
    expect([...state.families.values()].map((family) => family.logNumber)).toEqual([20, 20]);
  });

  test('an unfinished one at the end is dropped', () => {
    const state = replay(
      counters,
      inGroup({ ...emptyEdit(), logNumber: 20 }, 2),
      inGroup({ ...emptyEdit(), logNumber: 21 }, 1),
    );
    state.finish();
    expect(state.families.get(0)!.logNumber).toBe(4);
    expect(state.droppedGroupEdits).toBe(2);
  });

  test('wrong counters and strangers inside are corruption', () => {
    expect(() => replay(inGroup(emptyEdit(), 2), inGroup(emptyEdit(), 2))).toThrowError(
      /expected 1 remaining edits, found 2/,
    );
    expect(() => replay(inGroup(emptyEdit(), 2), emptyEdit())).toThrowError(/corrupted atomic group/);
    expect(replay(inGroup(emptyEdit(), 0xffffffff)).editCount).toBe(0);
  });
});

describe('edits', () => {
  test('every field comes back', () => {
    const file = {
      ...table(12, 'a', 'b'),
      checksum: fromHex('01020304'),
      checksumFunction: 'FileChecksumCrc32c',
      pathId: 2,
      temperature: 1,
      markedForCompaction: true,
      epochNumber: 77,
      oldestAncestorTime: 5,
      fileCreationTime: 6,
      extraFields: [{ tag: 12, body: new Uint8Array(16) }],
    };
    const edit: VersionEdit = {
      ...emptyEdit(3),
      dbId: utf8('id'),
      comparator: 'c',
      logNumber: 1,
      prevLogNumber: 0,
      nextFileNumber: 2 ** 40,
      lastSequence: 2 ** 50,
      maxColumnFamily: 9,
      minLogNumberToKeep: 8,
      compactCursors: [{ level: 2, key: table(1, 'q', 'q').smallest }],
      deletedFiles: [{ level: 1, number: 4 }],
      newFiles: [
        { level: 6, file },
        { level: 0, file: { ...table(13, 'a', 'b', 0, 0), sequencesKnown: false } },
      ],
      walAdditions: [
        { number: 5, syncedSize: 99 },
        { number: 6, syncedSize: undefined },
      ],
      walDeletion: 4,
      columnFamilyAdd: 'pärt',
      columnFamilyDrop: true,
      remainingInGroup: 3,
      fullHistoryTsLow: utf8('ts'),
    };
    expect(decodeVersionEdit(encodeVersionEdit(edit))).toEqual(edit);
  });

  test('older forms of new files', () => {
    const key = KEY;
    const two = decodeVersionEdit(fromHex(`6400${'07'}${'0a'}09${key}09${key}0305`)).newFiles[0]!.file;
    expect([two.number, two.smallestSequence, two.largestSequence]).toEqual([7, 3, 5]);
    const three = decodeVersionEdit(fromHex(`6600${'07'}${'02'}${'0a'}09${key}09${key}0305`)).newFiles[0]!.file;
    expect([three.pathId, three.sizeBytes]).toEqual([2, 10]);
    const one = decodeVersionEdit(fromHex(`0701${'07'}${'0a'}09${key}09${key}`)).newFiles[0]!;
    expect([one.level, one.file.sequencesKnown]).toEqual([1, false]);
  });

  test.each([
    ['an unknown tag', '0b', /unknown tag 11/],
    ['a cut comparator', '01055561', /comparator name: expected 5 bytes/],
    ['a level above all', '064001', /level: expected a number below 64/],
    ['an endless level', '06ffffffffff01', /level/],
    ['file number 0', `070000`, /file number 0/],
    ['a key without trailer', '070007010161', /expected an internal key/],
    ['garbage behind', '020102', /log number/],
    ['a path id of 4', `6700070a09${KEY}09${KEY}0305410104`, /path_id field/],
    ['a required field', `6700070a09${KEY}09${KEY}0305420101`, /custom field 66 not supported/],
  ])('refused: %s', (_, hex, message) => {
    expect(() => decodeVersionEdit(fromHex(hex), 'M')).toThrowError(
      expect.objectContaining({ code: 'CORRUPTION', message: expect.stringMatching(message) }),
    );
  });

  test('tags that newer versions mark as skippable are skipped', () => {
    const edit = decodeVersionEdit(fromHex(`${'8940'}03aabbcc${'0207'}`));
    expect(edit.skippedTags).toEqual([8201]);
    expect(edit.logNumber).toBe(7);
  });

  test('random bytes give typed errors or edits', () => {
    const random = seededRandom(31);
    const tags = [1, 2, 3, 4, 5, 6, 7, 9, 10, 100, 102, 103];
    for (let i = 0; i < 20_000; i++) {
      const bytes = randomBytes(random, Math.floor(random() * 60));
      if (bytes.length > 0) bytes[0] = tags[Math.floor(random() * tags.length)]!;
      for (let j = 1; j < bytes.length; j++) if (random() < 0.6) bytes[j]! &= 0x0f;
      try {
        decodeVersionEdit(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: 'CORRUPTION' });
      }
    }
  });
});

describe('a damaged MANIFEST', () => {
  const bytes = manifest(counters, adding([0, table(7, 'a', 'b')]), adding([0, table(8, 'a', 'b')]), {
    ...emptyEdit(),
    nextFileNumber: 20,
  });
  const read = (content: Uint8Array) => runSync(readManifest(bytesFile(content, 'MANIFEST-000001')));

  test('cut anywhere: the edits before the cut count, or the counters are missing', () => {
    for (let size = 0; size < bytes.length; size++) {
      const cut = bytes.subarray(0, size);
      if (size < 13) expect(() => read(cut)).toThrowError(/entry in MANIFEST/);
      else expect(read(cut).validBytes).toBeLessThanOrEqual(size);
    }
  });

  test('S44 each flipped bit is an error; RocksDB loses edits to some of them in silence', () => {
    const damaged = bytes.slice();
    for (let at = 0; at < bytes.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        damaged[at]! ^= 1 << bit;
        expect(() => read(damaged), `byte ${at} bit ${bit}`).toThrowError(
          expect.objectContaining({ code: 'CORRUPTION' }),
        );
        damaged[at]! ^= 1 << bit;
      }
  });

  test('a sector that never reached the disk is a torn write, in the last record only', () => {
    const big = manifest(
      counters,
      adding(
        ...Array.from(
          { length: 30 },
          (_, i) => [1, table(i + 50, `k${i + 10}`, `k${i + 10}x`)] as [number, ReturnType<typeof table>],
        ),
      ),
    );
    expect(big.length).toBeGreaterThan(1500);
    const lost = big.slice();
    lost.fill(0, 1024, 1536);
    expect(read(lost).tornTail?.kind).toBe('checksumMismatch');
    const followed = concatBytes([lost, manifest({ ...emptyEdit(), nextFileNumber: 30 })]);
    expect(() => read(followed)).toThrowError(/followed by an intact record/);
    const allocated = concatBytes([big, new Uint8Array(5000)]);
    expect(read(allocated).tornTail).toBeUndefined();
  });
});
