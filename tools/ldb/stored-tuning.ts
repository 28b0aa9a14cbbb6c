/**
 * The tuning that a database was last opened with, taken from its newest OPTIONS file. `DB.open` leaves tuning to its
 * caller; a tool that put one key with defaults would write the defaults into the next OPTIONS file, so it brings back
 * what stood there. Components and what correctness needs are not its business: `DB.open` takes those from the file.
 */
import { join, resolve } from 'node:path';
import { runAsync } from '../../format/base/io.ts';
import { MAX_BLOCK_SIZE } from '../../format/compression/codec.ts';
import { sliceTransformByName } from '../../format/base/slice-transform.ts';
import { ALWAYS_BLOOM } from '../../format/sst/filter-policy.ts';
import { parseFileName } from '../../format/manifest/file-name.ts';
import { readWhole } from '../../src/env/file-operations.ts';
import type { FileSystem } from '../../src/env/file-system.ts';
import type { ColumnFamilyOptions, CompressionOptions, FilterPolicy, Options } from '../../src/index.ts';
import { OPTION_TABLE, type OptionKind } from '../../src/options/option-table.ts';
import { parseNestedOptions, splitOptionList } from '../../src/options/option-value.ts';
import { OPTIONS_FILE_SIZE_MAX, type OptionsFile, parseOptionsFile } from '../../src/options/options-file.ts';

/** Words of the OPTIONS file by ours. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['kNoCompression', 'none'],
  ['kSnappyCompression', 'snappy'],
  ['kZlibCompression', 'zlib'],
  ['kBZip2Compression', 'bzip2'],
  ['kLZ4Compression', 'lz4'],
  ['kLZ4HCCompression', 'lz4hc'],
  ['kZSTD', 'zstd'],
  ['kNoChecksum', 'none'],
  ['kCRC32c', 'crc32c'],
  ['kxxHash', 'xxHash'],
  ['kxxHash64', 'xxHash64'],
  ['kXXH3', 'xxh3'],
  ['kBinarySearch', 'binarySearch'],
  ['kHashSearch', 'hashSearch'],
  ['kTwoLevelIndexSearch', 'twoLevelIndexSearch'],
  ['kBinarySearchWithFirstKey', 'binarySearchWithFirstKey'],
  ['kDataBlockBinarySearch', 'binarySearch'],
  ['kDataBlockBinaryAndHash', 'binaryAndHash'],
  ['kCompactionStyleLevel', 'level'],
  ['kCompactionStyleUniversal', 'universal'],
  ['kCompactionStyleFIFO', 'fifo'],
  ['kCompactionStyleNone', 'none'],
  ['kTolerateCorruptedTailRecords', 'tolerateCorruptedTailRecords'],
  ['kAbsoluteConsistency', 'absoluteConsistency'],
  ['kPointInTimeRecovery', 'pointInTime'],
  ['kSkipAnyCorruptedRecords', 'skipAnyCorruptedRecords'],
  ['kCompactionStopStyleSimilarSize', 'similarSize'],
  ['kCompactionStopStyleTotalSize', 'totalSize'],
]);

/** What a tool decides itself, whatever the last opener did. */
const NOT_TAKEN: ReadonlySet<string> = new Set(['createIfMissing', 'createMissingColumnFamilies', 'errorIfExists']);

/** The newest OPTIONS file of a database, `undefined` when it has none. Errors are the file's. */
export async function readNewestOptionsFile(fileSystem: FileSystem, path: string): Promise<OptionsFile | undefined> {
  const directory = resolve(path);
  let newest: { number: number; name: string } | undefined;
  for (const name of await fileSystem.list(directory)) {
    const parsed = parseFileName(name);
    if (parsed?.kind === 'options' && parsed.number >= (newest?.number ?? 0)) newest = parsed;
  }
  if (newest === undefined) return undefined;
  const file = join(directory, newest.name);
  return parseOptionsFile(await runAsync(readWhole(fileSystem, file, OPTIONS_FILE_SIZE_MAX)), file);
}

/** The file's tuning as options of `DB.open`, for the families that exist. Values that Pumice does not have are left out. */
export function tuningOf(file: OptionsFile, families: readonly string[]): Options {
  const options: Options = { ...optionsOf(file.db, 'db') };
  const columnFamilies: Record<string, ColumnFamilyOptions> = {};
  for (const name of families) {
    const section = file.families.find((family) => family.name === name);
    columnFamilies[name] = {
      ...(section === undefined
        ? {}
        : { ...optionsOf(section.columnFamily, 'cf'), ...optionsOf(section.table, 'table') }),
    };
  }
  return { ...options, columnFamilies };
}

function optionsOf(section: ReadonlyMap<string, string>, kind: 'db' | 'cf' | 'table'): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, descriptor] of OPTION_TABLE) {
    if (descriptor.file?.[0] !== kind || NOT_TAKEN.has(name)) continue;
    const text = section.get(descriptor.file[1]);
    if (text === undefined) continue;
    const value = parseValue(name, descriptor.kind, text);
    if (value !== undefined) options[name] = value;
  }
  return options;
}

function parseValue(name: string, kind: OptionKind, text: string): unknown {
  switch (kind.type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'integer':
    case 'number':
      return parseNumber(kind, text);
    case 'string':
      return text === '' ? undefined : text;
    case 'enum': {
      const word = WORDS.get(text);
      return word !== undefined && kind.values.includes(word) ? word : undefined;
    }
    case 'enumList': {
      const words = splitOptionList(text, name).map((item) => WORDS.get(item));
      return words.every((word) => word !== undefined && kind.values.includes(word)) ? words : undefined;
    }
    case 'component':
      return parseComponent(name, text);
  }
}

function parseNumber(kind: { type: string; min: number; max: number }, text: string): number | undefined {
  const value = Number(text);
  if (text === '' || Number.isNaN(value) || value < kind.min || value > kind.max) return undefined;
  return kind.type === 'integer' && !Number.isSafeInteger(value) ? undefined : value;
}

function parseComponent(name: string, text: string): unknown {
  if (name === 'filterPolicy') return parseFilterPolicy(text);
  if (name === 'compressionOptions') return parseCompressionOptions(text);
  if (name === 'prefixExtractor') return builtinPrefixExtractor(text);
  if (name === 'compactionOptionsUniversal') {
    return nestedOptions(text, {
      size_ratio: 'sizeRatio',
      min_merge_width: 'minMergeWidth',
      max_merge_width: 'maxMergeWidth',
      max_size_amplification_percent: 'maxSizeAmplificationPercent',
      stop_style: 'stopStyle',
      allow_trivial_move: 'allowTrivialMove',
    });
  }
  if (name === 'compactionOptionsFifo') return nestedOptions(text, { max_table_files_size: 'maxTableFilesSize' });
  return undefined;
}

/** RocksDB's numbers for "the codec's own default". */
const DEFAULT_LEVEL = 32767;
const DEFAULT_WINDOW_BITS = -14;

function parseCompressionOptions(text: string): CompressionOptions {
  const given = parseNestedOptions(text, 'OPTIONS');
  const level = Number(given.get('level') ?? DEFAULT_LEVEL);
  const windowBits = Number(given.get('window_bits') ?? DEFAULT_WINDOW_BITS);
  return {
    ...(Number.isSafeInteger(level) && level !== DEFAULT_LEVEL ? { level } : {}),
    // Raw deflate streams have negative window bits; 8 to 14 are what a writer can choose.
    ...(windowBits <= -8 && windowBits > DEFAULT_WINDOW_BITS ? { windowBits: -windowBits } : {}),
    ...dictionaryOptions(given),
  };
}

function dictionaryOptions(given: ReadonlyMap<string, string>): CompressionOptions {
  const maxDictBytes = Number(given.get('max_dict_bytes') ?? 0);
  const maxDictBufferBytes = Number(given.get('max_dict_buffer_bytes') ?? 0);
  return {
    ...(maxDictBytes > 0 && maxDictBytes <= MAX_BLOCK_SIZE ? { maxDictBytes } : {}),
    ...(maxDictBufferBytes > 0 && Number.isSafeInteger(maxDictBufferBytes) ? { maxDictBufferBytes } : {}),
  };
}

/** Checks of other options ask whether there is one; one that is not built in is left to `DB.open` to refuse. */
function builtinPrefixExtractor(text: string): string | undefined {
  const name = /^\{id=([^;{}]+);/.exec(text)?.[1] ?? text;
  return sliceTransformByName(name) === undefined ? undefined : name;
}

function parseFilterPolicy(text: string): FilterPolicy | undefined {
  const match = /(?:^|[=.])(bloom|ribbon)filter:([0-9.]+)(?::(-?\d+))?/i.exec(text);
  if (match === null) return undefined;
  const bitsPerKey = Math.min(100, Math.max(1, Number(match[2])));
  if (match[1]!.toLowerCase() === 'bloom') return { type: 'bloom', bitsPerKey };
  // Newer versions write the level again as a field, which counts.
  const level = /bloom_before_level=(-?\d+)/.exec(text)?.[1] ?? match[3];
  if (level === undefined) return { type: 'ribbon', bitsPerKey };
  return { type: 'ribbon', bitsPerKey, bloomBeforeLevel: Math.max(-1, Math.min(ALWAYS_BLOOM, Number(level))) };
}

function nestedOptions(text: string, names: Readonly<Record<string, string>>): Record<string, unknown> | undefined {
  const given = parseNestedOptions(text, 'OPTIONS');
  const result: Record<string, unknown> = {};
  for (const [theirs, ours] of Object.entries(names)) {
    const value = given.get(theirs);
    if (value === undefined) continue;
    if (value === 'true' || value === 'false') result[ours] = value === 'true';
    else result[ours] = WORDS.get(value) ?? Number(value);
  }
  return result;
}
