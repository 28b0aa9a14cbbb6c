/**
 * Pickers, by the pictures in `test/datadriven/compaction/`. Commands:
 *
 *   define              the tree, one line a level (L0 newest first): `L1 7:c-m size=2MB seq=5..9 marked age=100`
 *                       A `*` after a largest key makes it an exclusive range-tombstone sentinel.
 *   pick option=value   the next compaction; it joins the running ones with `run`
 *   scores              level scores
 *   range level=0 to=1 begin=a end=f
 *   files 7,8 to=2
 *   finish              forgets the running compactions
 *   release upto=9 settled=7,8   no snapshot at or below a sequence is left; tables that are not rewritten again
 */
import { expect, test } from 'vitest';
import { bytewiseComparator } from '../../format/base/comparator.ts';
import { makeInternalKey, SENTINEL_SEQUENCE, ValueType } from '../../format/base/internal-key.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { type Compaction, describeCompaction } from '../../compaction/compaction.ts';
import { type CompactionPickerOptions, defaultCompactionPickerOptions } from '../../compaction/compaction-options.ts';
import { nextCompactCursor } from '../../compaction/level-picker.ts';
import { estimatePendingCompactionBytes, levelScores, levelTargets } from '../../compaction/level-score.ts';
import { ManualPicker } from '../../compaction/manual-picker.ts';
import type { PickContext } from '../../compaction/pick-context.ts';
import { pickerFor } from '../../compaction/picker.ts';
import { RunningCompactions } from '../../compaction/running-compactions.ts';
import { type DataCommand, testDataFile } from '../support/datadriven.ts';

const NOW = 1_000_000;
const UNITS: Record<string, number> = { '': 1, KB: 1024, MB: 2 ** 20, GB: 2 ** 30 };
const utf8 = new TextEncoder();
const text = new TextDecoder();

function parseSize(word: string): number {
  const match = /^(\d+(?:\.\d+)?)(KB|MB|GB|)$/.exec(word);
  if (!match) throw new Error(`not a size: ${word}`);
  return Number(match[1]) * UNITS[match[2]!]!;
}

/** `7:c-m size=2MB seq=5..9 marked age=100` */
function parseFile(words: readonly string[]): FileMetadata {
  const match = /^(\d+):([^-]*)-([^*]*)(\*?)$/.exec(words[0]!);
  if (!match) throw new Error(`not a file: ${words[0]}`);
  const settings = new Map(words.slice(1).map((word) => word.split('=') as [string, string]));
  const [smallestSequence = 1, largestSequence = smallestSequence] = (settings.get('seq') ?? match[1]!)
    .split('..')
    .map(Number);
  const largest = match[4]
    ? makeInternalKey(utf8.encode(match[3]), SENTINEL_SEQUENCE, ValueType.rangeDeletion)
    : makeInternalKey(utf8.encode(match[3]), smallestSequence, ValueType.value);
  return {
    number: Number(match[1]),
    sizeBytes: parseSize(settings.get('size') ?? '1MB'),
    smallest: makeInternalKey(utf8.encode(match[2]), largestSequence, ValueType.value),
    largest,
    smallestSequence,
    largestSequence,
    oldestAncestorTime: settings.has('age') ? NOW - Number(settings.get('age')) : 0,
    fileCreationTime: 0,
    checksum: new Uint8Array(0),
    checksumFunction: 'Unknown',
    pathId: 0,
    temperature: 0,
    markedForCompaction: settings.has('marked'),
    epochNumber: undefined,
    sequencesKnown: true,
  };
}

/** Files of a line stand behind each other, each with its settings behind it. */
function parseLevels(lines: readonly string[]): FileMetadata[][] {
  const levels: FileMetadata[][] = Array.from({ length: 7 }, () => []);
  for (const line of lines) {
    const [name = '', ...words] = line.trim().split(/\s+/);
    const files: string[][] = [];
    for (const word of words) {
      if (/^\d+:/.test(word)) files.push([word]);
      else files[files.length - 1]!.push(word);
    }
    levels[Number(name.slice(1))]!.push(...files.map(parseFile));
  }
  return levels;
}

const NESTED = new Set(['universal', 'fifo']);

function optionsFrom(command: DataCommand): CompactionPickerOptions {
  const options = structuredClone(defaultCompactionPickerOptions) as CompactionPickerOptions;
  for (const [name, word] of command.settings) {
    if (['level', 'to', 'begin', 'end'].includes(name)) continue;
    const [outer = '', inner] = name === 'style' ? ['compactionStyle'] : name.split('.');
    const target = (NESTED.has(outer) ? options[outer as 'fifo'] : options) as unknown as Record<string, unknown>;
    const key = inner ?? outer;
    if (!(key in target)) throw new Error(`unknown option ${name}`);
    const list = Array.isArray(target[key]);
    const number = /^-?\d/.test(word);
    target[key] = list
      ? word.split(',')
      : number
        ? parseSizeOrNumber(word)
        : word === 'true'
          ? true
          : word === 'false'
            ? false
            : word;
  }
  return options;
}

function parseSizeOrNumber(word: string): number {
  return word.startsWith('-') ? Number(word) : parseSize(word);
}

/** The state that commands work on. */
class Family {
  levels: FileMetadata[][] = [];
  running: Compaction[] = [];
  readonly cursors = new Map<number, Uint8Array>();
  #releasedSequence = 0;
  #settledFiles: ReadonlySet<number> = new Set();

  get context(): PickContext {
    return {
      familyId: 0,
      familyName: 'default',
      view: { levels: this.levels },
      running: this.running,
      compactCursors: this.cursors,
      nowSeconds: NOW,
      releasedSequence: this.#releasedSequence,
      settledFiles: this.#settledFiles,
    };
  }

  run(command: DataCommand): string {
    switch (command.name) {
      case 'define':
        this.levels = parseLevels(command.input);
        this.running = [];
        this.cursors.clear();
        this.#releasedSequence = 0;
        return 'ok';
      case 'finish':
        this.running = [];
        return 'ok';
      case 'release':
        this.#releasedSequence = Number(command.settings.get('upto'));
        this.#settledFiles = new Set((command.settings.get('settled') ?? '').split(',').map(Number));
        return 'ok';
      case 'scores':
        return this.#scores(optionsFrom(command));
      case 'pick':
        return this.#pick(command);
      case 'range':
        return this.#range(command);
      case 'files':
        return this.#files(command);
      default:
        throw new Error(`unknown command ${command.name}`);
    }
  }

  #scores(options: CompactionPickerOptions): string {
    const targets = levelTargets({ levels: this.levels }, options);
    const running = new RunningCompactions(bytewiseComparator, this.running);
    const scores = levelScores({ levels: this.levels }, options, running, targets).filter(({ score }) => score > 0);
    const lines = scores.map(({ level, score }) => `L${level} ${score.toFixed(2)}`);
    lines.push(`base L${targets.baseLevel}`);
    lines.push(`pending ${estimatePendingCompactionBytes({ levels: this.levels }, options)}`);
    return lines.join('\n');
  }

  #pick(command: DataCommand): string {
    const picker = pickerFor(optionsFrom(command), bytewiseComparator);
    const compaction = picker.pick(this.context);
    if (!compaction) return 'nothing';
    expect(picker.needsCompaction(this.context)).toBe(true);
    if (command.words.includes('run')) this.running.push(compaction);
    const cursor = nextCompactCursor(bytewiseComparator, compaction);
    if (cursor) this.cursors.set(cursor.level, cursor.key);
    return show(compaction);
  }

  #range(command: DataCommand): string {
    const { settings } = command;
    const bound = (name: string) => (settings.has(name) ? utf8.encode(settings.get(name)!) : undefined);
    const pick = new ManualPicker(optionsFrom(command), bytewiseComparator).pickRange(this.context, {
      level: Number(settings.get('level')),
      outputLevel: Number(settings.get('to')),
      begin: bound('begin'),
      end: bound('end'),
    });
    if (pick.outcome !== 'plan') return pick.outcome;
    return `${show(pick.compaction)}${pick.nextBegin ? `\nthen from ${text.decode(pick.nextBegin)}` : ''}`;
  }

  #files(command: DataCommand): string {
    const numbers = command.words[0]!.split(',').map(Number);
    const picker = new ManualPicker(optionsFrom(command), bytewiseComparator);
    try {
      return show(picker.pickFiles(this.context, numbers, Number(command.settings.get('to'))));
    } catch (error) {
      return (error as Error).message;
    }
  }
}

function show(compaction: Compaction): string {
  const parts = [describeCompaction(compaction), compaction.kind, compaction.reason];
  if (compaction.bottommost) parts.push('bottommost');
  if (compaction.compression !== 'snappy') parts.push(compaction.compression);
  const lines = [parts.join(' ')];
  if (compaction.grandparents.length > 0) {
    lines.push(`grandparents ${compaction.grandparents.map((file) => file.number).join(',')}`);
  }
  const deeper = compaction.deeperRanges ?? [];
  if (deeper.length > 0) {
    lines.push(
      `deeper ${deeper.map((range) => `${text.decode(range.smallest)}-${text.decode(range.largest)}`).join(' ')}`,
    );
  }
  return lines.join('\n');
}

for (const name of ['level', 'dynamic-level', 'universal', 'fifo', 'manual']) {
  const family = new Family();
  testDataFile(`test/datadriven/compaction/${name}.txt`, (command) => family.run(command));
}

test('plans are plain data that can be sent to a worker', () => {
  const family = new Family();
  family.levels = parseLevels(['L0 9:a-z 8:a-m 7:a-c 6:x-z', 'L1 3:a-k 4:l-z']);
  const compaction = pickerFor(defaultCompactionPickerOptions, bytewiseComparator).pick(family.context)!;
  expect(structuredClone(compaction)).toEqual(compaction);
});

test('S139 with level 0 and level 3 over their limits the compaction out of level 0 is started first', () => {
  const family = new Family();
  // Level 3 may hold 25 GiB: it is as far over its limit as level 0 is, then less far.
  for (const size of ['50GB', '30GB']) {
    family.levels = parseLevels([
      'L0 9:a-z 8:a-m 7:a-c 6:x-z 5:a-b 4:a-c 12:c-d 11:a-z',
      'L1 3:a-k 2:l-z',
      `L3 1:a-z size=${size}`,
    ]);
    const scope = new RunningCompactions(bytewiseComparator, []);
    const scores = levelScores(
      family.context.view,
      defaultCompactionPickerOptions,
      scope,
      levelTargets(family.context.view, defaultCompactionPickerOptions),
    );
    expect(scores.filter(({ score }) => score > 1).map(({ level }) => level)).toEqual([0, 3]);
    const picker = pickerFor(defaultCompactionPickerOptions, bytewiseComparator);
    const first = picker.pick(family.context)!;
    expect([first.inputs[0]!.level, first.outputLevel]).toEqual([0, 1]);
    family.running = [first];
    const second = picker.pick(family.context)!;
    expect([second.inputs[0]!.level, second.outputLevel]).toEqual([3, 4]);
    family.running = [];
  }
});

test('style none picks nothing', () => {
  const family = new Family();
  family.levels = parseLevels(['L0 9:a-z 8:a-m 7:a-c 6:x-z 5:a-z']);
  const options: CompactionPickerOptions = { ...defaultCompactionPickerOptions, compactionStyle: 'none' };
  expect(pickerFor(options, bytewiseComparator).pick(family.context)).toBeUndefined();
});
