/**
 * What `DB.open` must refuse before it touches anything: wrong paths, unknown options, values of the wrong type or out of
 * range, options that contradict each other. Method: every refusal names the option, and the place stays empty.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BlockCache, DB, Env, type Options, Statistics } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { expectRefused } from './refusal.ts';

const filter = { name: 'f', filter: () => 'keep' };
const factory = { name: 'f', createFilter: () => filter };

test('a path that is no path is refused', async () => {
  for (const path of [undefined, null, '', 5, {}, [], 'a\0b', Symbol('x')]) {
    await expectRefused(() => DB.open(path as string, { createIfMissing: true }), 'INVALID_ARGUMENT', /path must be/);
    await expectRefused(() => DB.listColumnFamilies(path as string), 'INVALID_ARGUMENT', /path must be/);
    await expectRefused(() => DB.destroy(path as string), 'INVALID_ARGUMENT', /path must be/);
  }
});

test('options that are no record are refused', async () => {
  for (const options of [null, 5, 'x', true, [], () => {}]) {
    await expectRefused(() => DB.open('/nowhere', options as Options), 'INVALID_ARGUMENT', /options must be an object/);
  }
});

/** Each entry: an option, a wrong value, and what the message must say besides the option's name. */
const wrong: [name: string, value: unknown, words: RegExp][] = [
  ['foo', 1, /not an option/],
  ['createifmissing', true, /not an option/],
  ['createIfMissing', 'yes', /true or false, got "yes"/],
  ['statistics', 5, /Statistics, got number/],
  ['statistics', {}, /Statistics, got an object/],
  ['statistics', null, /got null/],
  ['logger', {}, /Logger/],
  ['logger', null, /got null/],
  ['listeners', 5, /array/],
  ['listeners', [5], /listeners\[0\] must be an EventListener/],
  ['listeners', [{}, null], /listeners\[1\] must be an EventListener/],
  ['env', {}, /Env/],
  ['blockCache', {}, /BlockCache/],
  ['blockCache', { capacity: 5 }, /BlockCache/],
  ['blockCache', null, /BlockCache/],
  ['memtableFactory', { create: 1 }, /create\(\)/],
  ['memtableFactory', null, /got null/],
  ['comparator', 5, /name, got number/],
  ['comparator', 'nope', /"nope" is not a built-in name/],
  ['comparator', { name: 'x' }, /"x" lacks the method compare\(\)/],
  ['comparator', { name: '', compare: () => 0 }, /non-empty name/],
  ['comparator', { module: '/no/such/module.js' }, /module \/no\/such\/module.js cannot be loaded/],
  ['mergeOperator', 'nope', /not a built-in name/],
  ['mergeOperator', { name: 'x' }, /fullMerge\(\)/],
  ['prefixExtractor', 'rocksdb.FixedPrefix.x', /not a built-in name/],
  ['prefixExtractor', 'rocksdb.FixedPrefix.99999999999999999999', /not a built-in name/],
  ['compactionFilter', { name: 'x' }, /filter\(\)/],
  ['compactionFilterFactory', { name: 'x' }, /createFilter\(\)/],
  ['filterPolicy', 'bloom', /bloom/],
  ['filterPolicy', { type: 'bloom', bitsPerKey: Number.NaN }, /bitsPerKey must be a number from 1 to 100/],
  ['filterPolicy', { type: 'cuckoo', bitsPerKey: 5 }, /'bloom' \| 'ribbon'/],
  ['filterPolicy', { type: 'bloom', bitsPerKey: 5, bloomBeforeLevel: 1 }, /bloomBeforeLevel needs type 'ribbon'/],
  ['filterPolicy', { type: 'ribbon', bitsPerKey: 5, bloomBeforeLevel: 0.5 }, /bloomBeforeLevel must be a whole number/],
  ['compressionOptions', [], /an object, got an array/],
  ['compressionOptions', null, /got null/],
  ['compressionOptions', { foo: 1 }, /compressionOptions.foo is not an option/],
  ['compressionOptions', { level: 99_999 }, /compressionOptions.level must be from/],
  ['compressionOptions', { maxDictBytes: -1 }, /compressionOptions.maxDictBytes must be from 0/],
  ['compressionOptions', { maxDictBufferBytes: 0.5 }, /compressionOptions.maxDictBufferBytes must be from 0/],
  ['compressionOptions', { zstdMaxTrainBytes: 1 }, /compressionOptions.zstdMaxTrainBytes is not an option/],
  ['compactionOptionsUniversal', [], /an object, got an array/],
  ['compactionOptionsUniversal', { sizeRatio: -1 }, /sizeRatio must be a number >= 0/],
  ['compactionOptionsUniversal', { stopStyle: 'x' }, /stopStyle must be 'similarSize' or 'totalSize'/],
  ['compactionOptionsUniversal', { minMergeWidth: 9, maxMergeWidth: 3 }, /minMergeWidth/],
  ['compactionOptionsFifo', { maxTableFilesSize: 'x' }, /maxTableFilesSize/],
  ['columnFamilies', null, /record|object/],
  ['columnFamilies', { a: 5 }, /columnFamilies\.a must be an object, got number/],
  ['columnFamilies', { a: { createIfMissing: true } }, /columnFamilies\.a\.createIfMissing belongs to the database/],
  ['columnFamilies', { a: { blockSize: 1 } }, /columnFamilies\.a\.blockSize must be from/],
  ['columnFamilies', { '': {} }, /non-empty name/],
  ['walDir', '', /non-empty string/],
  ['walDir', 5, /non-empty string/],
];

/** Pairs of options that cannot hold together; the message names one of them. */
const contradictions: [options: Options, words: RegExp][] = [
  [{ readOnly: true, createIfMissing: true }, /readOnly contradicts options.createIfMissing/],
  [{ atomicFlush: true, allow2pc: true }, /atomicFlush contradicts options.allow2pc/],
  [{ blockAlign: true }, /blockAlign needs compression 'none'/],
  [{ blockAlign: true, compression: 'none', compressionPerLevel: ['none', 'zstd'] }, /blockAlign needs/],
  [{ partitionFilters: true }, /partitionFilters needs indexType/],
  [{ indexType: 'hashSearch' }, /needs a prefixExtractor/],
  [{ noBlockCache: true, blockCache: new BlockCache({ capacity: 1 << 20 }) }, /noBlockCache contradicts/],
  [{ minWriteBufferNumberToMerge: 3 }, /minWriteBufferNumberToMerge must be less than maxWriteBufferNumber/],
  [{ numLevels: 1 }, /numLevels must be at least 2/],
  [{ level0StopWritesTrigger: 1 }, /level0StopWritesTrigger/],
  [{ maxBackgroundCompactions: 0 }, /maxBackgroundCompactions/],
  [{ compactionFilter: filter, compactionFilterFactory: factory } as Options, /exclude each other/],
];

test('every wrong value is refused by the name of its option, and nothing is made', async () => {
  using directory = temporaryDirectory();
  for (const [name, value, words] of wrong) {
    const open = (): Promise<DB> => DB.open(join(directory.path, 'db'), { createIfMissing: true, [name]: value });
    await expectRefused(open, 'INVALID_ARGUMENT', words);
    await expectRefused(open, 'INVALID_ARGUMENT', new RegExp(`options\\.${name}`));
  }
  expect(readdirSync(directory.path)).toEqual([]);
});

test('options that contradict each other are refused, and nothing is made', async () => {
  using directory = temporaryDirectory();
  for (const [options, words] of contradictions) {
    await expectRefused(
      () => DB.open(join(directory.path, 'db'), { createIfMissing: true, ...options }),
      'INVALID_ARGUMENT',
      words,
    );
  }
  expect(readdirSync(directory.path)).toEqual([]);
});

test('setOptions refuses what open would refuse, and then nothing has changed', async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(directory.path, { createIfMissing: true });
  const before = readdirSync(directory.path);
  for (const [options, words] of [
    [{ numLevels: 5 }, /numLevels cannot change/],
    [{ writeBufferSize: 5 }, /writeBufferSize must be from/],
    [{ foo: 5 }, /foo is not an option/],
    [{ level0StopWritesTrigger: 1 }, /level0StopWritesTrigger/],
    [null, /must be an object/],
    [[1], /must be an object/],
  ] as const) {
    await expectRefused(() => db.setOptions(options as Parameters<DB['setOptions']>[0]), 'INVALID_ARGUMENT', words);
  }
  expect(readdirSync(directory.path)).toEqual(before);
});

test('parts of databases refuse wrong arguments too', async () => {
  await expectRefused(() => new BlockCache(undefined as never), 'INVALID_ARGUMENT', /BlockCache/);
  await expectRefused(() => new BlockCache({ capacity: -1 }), 'INVALID_ARGUMENT', /capacity/);
  await expectRefused(() => new BlockCache({ capacity: 'x' as never }), 'INVALID_ARGUMENT', /capacity/);
  await expectRefused(() => new Env(null as never), 'INVALID_ARGUMENT', /Env/);
  await expectRefused(() => new Env({ fileSystem: 5 as never }), 'INVALID_ARGUMENT', /fileSystem/);
  await expectRefused(() => new Env({ clock: {} as never }), 'INVALID_ARGUMENT', /clock/);
  await expectRefused(() => new Env({ compactionWorkers: -1 }), 'INVALID_ARGUMENT', /compactionWorkers/);
  await expectRefused(() => new Statistics().getTickerCount('x'), 'INVALID_ARGUMENT', /no ticker is named "x"/);
  await expectRefused(() => new Statistics().getHistogram('x'), 'INVALID_ARGUMENT', /no histogram is named "x"/);
});
