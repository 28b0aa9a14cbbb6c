/** Checks what the user gave and completes it. Every refusal is `INVALID_ARGUMENT` and names the option. */
import { invalidArgument } from '../../format/base/db-error.ts';
import { MAX_BLOCK_SIZE } from '../../format/compression/codec.ts';
import { ALWAYS_BLOOM } from '../../format/sst/filter-policy.ts';
import { defaultTableOptions, type TableOptions } from '../../format/sst/table-options.ts';
import { Env } from '../env/env.ts';
import { environmentVariable } from '../env/host.ts';
import {
  comparatorComponent,
  describe,
  mergeOperatorComponent,
  namedComponent,
  prefixExtractorComponent,
} from './components.ts';
import { checkDatabaseObjects, checkFamilyObjects } from './object-options.ts';
import { OPTION_TABLE, type OptionDescriptor } from './option-table.ts';
import type { ColumnFamilyOptions, FifoOptions, MutableOptions, Options, UniversalOptions } from './options.ts';
import type { DbOptions, FamilyOptions, MutableFamilySettings, ResolvedOptions } from './resolved-options.ts';
import { WriteBufferManager } from './write-buffer-manager.ts';

const UNIVERSAL_DEFAULTS: Required<UniversalOptions> = {
  sizeRatio: 1,
  minMergeWidth: 2,
  maxMergeWidth: 0xffff_ffff,
  maxSizeAmplificationPercent: 200,
  stopStyle: 'totalSize',
  allowTrivialMove: false,
};

const FIFO_DEFAULTS: Required<FifoOptions> = { maxTableFilesSize: 1024 ** 3 };

function checkValue(descriptor: OptionDescriptor, value: unknown, where: string): void {
  const { kind } = descriptor;
  const refuse = (expected: string): never => {
    const got = typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value) : describe(value);
    throw invalidArgument(`options.${where} must be ${expected}, got ${got}`);
  };
  switch (kind.type) {
    case 'boolean':
      if (typeof value !== 'boolean') refuse('true or false');
      return;
    case 'integer':
    case 'number':
      if (typeof value !== 'number' || Number.isNaN(value)) refuse('a number');
      if (kind.type === 'integer' && !Number.isSafeInteger(value)) refuse('a whole number');
      if ((value as number) < kind.min || (value as number) > kind.max) refuse(`from ${kind.min} to ${kind.max}`);
      return;
    case 'string':
      if (typeof value !== 'string' || value === '' || value.includes('\0')) refuse('a non-empty string');
      return;
    case 'enum':
      if (typeof value !== 'string' || !kind.values.includes(value)) refuse(`one of ${kind.values.join(', ')}`);
      return;
    case 'enumList':
      if (!Array.isArray(value) || value.length > kind.maxLength || value.some((v) => !kind.values.includes(v))) {
        refuse(`an array of at most ${kind.maxLength} of ${kind.values.join(', ')}`);
      }
      return;
    case 'component':
      return;
  }
}

/** Refuses unknown names and values out of range. `scope` undefined: names of both scopes are known. */
function checkRecord(given: object, scope: 'family' | undefined, prefix: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const where = ['options', ...prefix.split('.')].filter((part) => part !== '').join('.');
    throw invalidArgument(`${where} must be an object, got ${describe(given)}`);
  }
  for (const [name, value] of Object.entries(given)) {
    const descriptor = OPTION_TABLE.get(name);
    if (descriptor === undefined) throw invalidArgument(`options.${prefix}${name} is not an option of Pumice`);
    if (scope !== undefined && descriptor.scope !== scope) {
      throw invalidArgument(`options.${prefix}${name} belongs to the database, not to a column family`);
    }
    if (value !== undefined) checkValue(descriptor, value, prefix + name);
  }
}

function plain(given: object, name: string): unknown {
  const value = (given as Record<string, unknown>)[name];
  return value === undefined ? structuredClone(OPTION_TABLE.get(name)!.default) : value;
}

/** A nested record of numbers, booleans or words, checked against the shape of its defaults. */
function nested<T extends object>(option: string, value: unknown, defaults: T): T {
  if (value === undefined) return { ...defaults };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(`options.${option} must be an object, got ${describe(value)}`);
  }
  for (const [key, item] of Object.entries(value)) {
    if (!Object.hasOwn(defaults, key)) throw invalidArgument(`options.${option}.${key} is not an option of Pumice`);
    const expected = typeof (defaults as Record<string, unknown>)[key];
    const bad =
      typeof item !== expected || (expected === 'number' && !(Number.isSafeInteger(item) && (item as number) >= 0));
    if (item !== undefined && bad) throw invalidArgument(`options.${option}.${key} must be a ${expected} >= 0`);
  }
  return { ...defaults, ...defined(value) };
}

function compressionOptions(value: unknown): TableOptions['compressionOptions'] {
  const given = (value === undefined ? {} : value) as Record<string, unknown>;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalidArgument(`options.compressionOptions must be an object, got ${describe(value)}`);
  }
  const ranges: Record<string, [number, number]> = {
    level: [-131072, 32767],
    windowBits: [8, 14],
    maxDictBytes: [0, MAX_BLOCK_SIZE],
    maxDictBufferBytes: [0, Number.MAX_SAFE_INTEGER],
  };
  for (const [key, item] of Object.entries(given)) {
    const range = ranges[key];
    if (range === undefined) throw invalidArgument(`options.compressionOptions.${key} is not an option of Pumice`);
    if (item === undefined) continue;
    if (!Number.isSafeInteger(item) || (item as number) < range[0] || (item as number) > range[1]) {
      throw invalidArgument(`options.compressionOptions.${key} must be from ${range[0]} to ${range[1]}`);
    }
  }
  return given;
}

function filterPolicy(value: unknown): TableOptions['filterPolicy'] {
  if (value === undefined || value === null) return undefined;
  const { type, bitsPerKey, bloomBeforeLevel, ...rest } = value as Record<string, unknown>;
  if ((type !== 'bloom' && type !== 'ribbon') || Object.keys(rest).length > 0) {
    throw invalidArgument("options.filterPolicy must be { type: 'bloom' | 'ribbon', bitsPerKey, bloomBeforeLevel? }");
  }
  if (typeof bitsPerKey !== 'number' || !(bitsPerKey >= 1 && bitsPerKey <= 100)) {
    throw invalidArgument('options.filterPolicy.bitsPerKey must be a number from 1 to 100');
  }
  if (bloomBeforeLevel === undefined) return { type, bitsPerKey };
  if (type === 'bloom') throw invalidArgument("options.filterPolicy.bloomBeforeLevel needs type 'ribbon'");
  if (!Number.isInteger(bloomBeforeLevel) || Math.abs(bloomBeforeLevel as number) > ALWAYS_BLOOM) {
    throw invalidArgument(`options.filterPolicy.bloomBeforeLevel must be a whole number up to ${ALWAYS_BLOOM}`);
  }
  return { type, bitsPerKey, bloomBeforeLevel: bloomBeforeLevel as number };
}

const TABLE_SETTINGS = [
  'checksum',
  'wholeKeyFiltering',
  'partitionFilters',
  'indexType',
  'dataBlockIndexType',
  'dataBlockHashTableUtilRatio',
  'blockSize',
  'blockSizeDeviation',
  'blockRestartInterval',
  'indexBlockRestartInterval',
  'metadataBlockSize',
  'formatVersion',
  'enableIndexCompression',
  'blockAlign',
  'compression',
] as const;

function tableOptions(given: object): TableOptions {
  const table: Record<string, unknown> = {};
  for (const name of TABLE_SETTINGS) table[name] = plain(given, name);
  const { compressionOptions: tuning, filterPolicy: policy } = given as ColumnFamilyOptions;
  return {
    ...(table as unknown as TableOptions),
    compressionOptions: compressionOptions(tuning),
    filterPolicy: filterPolicy(policy),
    // Decided for each job (`table-options-of-job.ts`).
    filterLevel: defaultTableOptions.filterLevel,
    skipFilters: defaultTableOptions.skipFilters,
  };
}

/** The settings that `setOptions` may change, from a flat record. */
export function mutableSettings(given: MutableOptions): MutableFamilySettings {
  const targetFileSizeBase = plain(given, 'targetFileSizeBase') as number;
  const take = <K extends keyof MutableOptions>(name: K): never => plain(given, name) as never;
  return {
    writeBufferSize: take('writeBufferSize'),
    memtablePrefixBloomSizeRatio: take('memtablePrefixBloomSizeRatio'),
    memtableWholeKeyFiltering: take('memtableWholeKeyFiltering'),
    maxWriteBufferNumber: take('maxWriteBufferNumber'),
    disableAutoCompactions: take('disableAutoCompactions'),
    level0FileNumCompactionTrigger: take('level0FileNumCompactionTrigger'),
    level0SlowdownWritesTrigger: take('level0SlowdownWritesTrigger'),
    level0StopWritesTrigger: take('level0StopWritesTrigger'),
    softPendingCompactionBytesLimit: take('softPendingCompactionBytesLimit'),
    hardPendingCompactionBytesLimit: take('hardPendingCompactionBytesLimit'),
    targetFileSizeBase,
    targetFileSizeMultiplier: take('targetFileSizeMultiplier'),
    maxBytesForLevelBase: take('maxBytesForLevelBase'),
    maxBytesForLevelMultiplier: take('maxBytesForLevelMultiplier'),
    maxCompactionBytes: given.maxCompactionBytes || targetFileSizeBase * 25,
    compression: take('compression'),
    bottommostCompression: given.bottommostCompression,
    compressionPerLevel: take('compressionPerLevel'),
    universal: nested('compactionOptionsUniversal', given.compactionOptionsUniversal, UNIVERSAL_DEFAULTS),
    fifo: nested('compactionOptionsFifo', given.compactionOptionsFifo, FIFO_DEFAULTS),
    paranoidFileChecks: take('paranoidFileChecks'),
    table: tableOptions(given),
  };
}

/** Universal compaction's tuning: what `nested` cannot see. */
function checkUniversal({ stopStyle, minMergeWidth, maxMergeWidth }: Required<UniversalOptions>): void {
  if (stopStyle !== 'similarSize' && stopStyle !== 'totalSize') {
    throw invalidArgument("options.compactionOptionsUniversal.stopStyle must be 'similarSize' or 'totalSize'");
  }
  if (minMergeWidth < 2 || maxMergeWidth < minMergeWidth) {
    throw invalidArgument(
      'options.compactionOptionsUniversal.minMergeWidth must be at least 2 and at most maxMergeWidth',
    );
  }
}

/** Contradictions between options of one family: `INVALID_ARGUMENT` names them. */
export function checkFamily(o: FamilyOptions): void {
  const { table } = o;
  checkUniversal(o.universal);
  if (table.blockAlign && (o.compression !== 'none' || o.compressionPerLevel.some((c) => c !== 'none'))) {
    throw invalidArgument("options.blockAlign needs compression 'none'");
  }
  if (table.partitionFilters && table.indexType !== 'twoLevelIndexSearch') {
    throw invalidArgument("options.partitionFilters needs indexType 'twoLevelIndexSearch'");
  }
  if (table.indexType === 'hashSearch' && o.prefixExtractor === undefined) {
    throw invalidArgument("options.indexType 'hashSearch' needs a prefixExtractor");
  }
  if (o.compactionFilter !== undefined && o.compactionFilterFactory !== undefined) {
    throw invalidArgument('options.compactionFilter and options.compactionFilterFactory exclude each other');
  }
  if (o.minWriteBufferNumberToMerge >= o.maxWriteBufferNumber) {
    throw invalidArgument('options.minWriteBufferNumberToMerge must be less than maxWriteBufferNumber');
  }
  if (o.numLevels < 2 && o.compactionStyle === 'level') {
    throw invalidArgument("options.numLevels must be at least 2 for compactionStyle 'level'");
  }
  if (o.noBlockCache && o.blockCache !== undefined) {
    throw invalidArgument('options.noBlockCache contradicts options.blockCache');
  }
  if (
    o.level0SlowdownWritesTrigger < o.level0FileNumCompactionTrigger ||
    o.level0StopWritesTrigger < o.level0SlowdownWritesTrigger
  ) {
    throw invalidArgument(
      'options.level0FileNumCompactionTrigger, level0SlowdownWritesTrigger and level0StopWritesTrigger must not decrease in this order',
    );
  }
}

/** Completes the options of one family. */
export async function resolveFamilyOptions(given: ColumnFamilyOptions): Promise<FamilyOptions> {
  checkFamilyObjects(given);
  const family: FamilyOptions = {
    ...mutableSettings(given),
    comparator: await comparatorComponent(given.comparator),
    mergeOperator: await mergeOperatorComponent(given.mergeOperator),
    prefixExtractor: await prefixExtractorComponent(given.prefixExtractor),
    compactionFilter: await namedComponent('compactionFilter', given.compactionFilter, 'filter'),
    compactionFilterFactory: await namedComponent(
      'compactionFilterFactory',
      given.compactionFilterFactory,
      'createFilter',
    ),
    memtableFactory: given.memtableFactory,
    minWriteBufferNumberToMerge: plain(given, 'minWriteBufferNumberToMerge') as number,
    numLevels: plain(given, 'numLevels') as number,
    levelCompactionDynamicLevelBytes: plain(given, 'levelCompactionDynamicLevelBytes') as boolean,
    compactionStyle: plain(given, 'compactionStyle') as FamilyOptions['compactionStyle'],
    optimizeFiltersForHits: plain(given, 'optimizeFiltersForHits') as boolean,
    blockCache: given.blockCache,
    blockCacheCompressed: given.blockCacheCompressed,
    noBlockCache: plain(given, 'noBlockCache') as boolean,
  };
  checkFamily(family);
  return family;
}

/** Slots of the two pools, as RocksDB derives them; 0 for flushes: they share those of compactions. */
function backgroundSlots(given: Options): { flushSlots: number; compactionSlots: number } {
  const jobs = plain(given, 'maxBackgroundJobs') as number;
  const flushes = given.maxBackgroundFlushes ?? -1;
  const compactions = given.maxBackgroundCompactions ?? -1;
  if (compactions === 0) throw invalidArgument('options.maxBackgroundCompactions must be -1 or at least 1');
  if (flushes === -1 && compactions === -1) {
    const flushSlots = Math.max(1, Math.floor(jobs / 4));
    return { flushSlots, compactionSlots: Math.max(1, jobs - flushSlots) };
  }
  return { flushSlots: flushes === -1 ? 1 : flushes, compactionSlots: Math.max(1, compactions) };
}

/** The limit on memtables: a given one, which databases share, or one of this database's own. */
function writeBufferManager(given: Options): WriteBufferManager | undefined {
  const { writeBufferManager: shared } = given;
  const bufferSize = plain(given, 'dbWriteBufferSize') as number;
  if (shared === undefined) return bufferSize > 0 ? new WriteBufferManager({ bufferSize }) : undefined;
  if (!(shared instanceof WriteBufferManager)) {
    throw invalidArgument(`options.writeBufferManager must be a WriteBufferManager, got ${describe(shared)}`);
  }
  if (bufferSize > 0) {
    throw invalidArgument('options.writeBufferManager and options.dbWriteBufferSize exclude each other: give one');
  }
  return shared;
}

function dbOptions(given: Options): DbOptions {
  const take = (name: keyof Options): never => plain(given, name) as never;
  if (given.env !== undefined && !(given.env instanceof Env)) throw invalidArgument('options.env must be an Env');
  checkDatabaseObjects(given);
  const openFiles = take('maxOpenFiles') as number;
  return {
    createIfMissing: take('createIfMissing'),
    createMissingColumnFamilies: take('createMissingColumnFamilies'),
    errorIfExists: take('errorIfExists'),
    readOnly: take('readOnly'),
    paranoidChecks: take('paranoidChecks'),
    env: given.env ?? Env.default,
    walDir: given.walDir,
    walRecoveryMode: take('walRecoveryMode'),
    walCorruption: take('walCorruption'),
    manualWalFlush: take('manualWalFlush'),
    recycleLogFileNum: take('recycleLogFileNum'),
    allow2pc: take('allow2pc'),
    atomicFlush: take('atomicFlush'),
    avoidFlushDuringRecovery: take('avoidFlushDuringRecovery'),
    avoidFlushDuringShutdown: take('avoidFlushDuringShutdown'),
    maxOpenFiles: openFiles < 0 ? Number.POSITIVE_INFINITY : Math.max(10, openFiles),
    useDirectReads: take('useDirectReads'),
    maxBackgroundJobs: take('maxBackgroundJobs'),
    maxBackgroundCompactions: take('maxBackgroundCompactions'),
    maxBackgroundFlushes: take('maxBackgroundFlushes'),
    ...backgroundSlots(given),
    maxSubcompactions: take('maxSubcompactions'),
    maxTotalWalSize: take('maxTotalWalSize'),
    dbWriteBufferSize: take('dbWriteBufferSize'),
    writeBufferManager: writeBufferManager(given),
    maxManifestFileSize: take('maxManifestFileSize'),
    delayedWriteRate: take('delayedWriteRate'),
    walTtlSeconds: take('walTtlSeconds'),
    walSizeLimitMB: take('walSizeLimitMB'),
    statistics: given.statistics,
    trackLeaks: given.trackLeaks ?? environmentVariable('PUMICE_TRACK_LEAKS') === '1',
    listeners: given.listeners ?? [],
    logger: given.logger,
    maxLogFileSize: take('maxLogFileSize'),
    logFileTimeToRoll: take('logFileTimeToRoll'),
    keepLogFileNum: take('keepLogFileNum'),
    statsDumpPeriodSec: take('statsDumpPeriodSec'),
  };
}

/** Leaves out what is `undefined`, so that a family's record never hides a general setting by naming it without value. */
function defined<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}

/** The family part of a flat option record. */
export function familyPart(given: Options): ColumnFamilyOptions {
  return Object.fromEntries(
    Object.entries(given).filter(([name]) => OPTION_TABLE.get(name)?.scope === 'family'),
  ) as ColumnFamilyOptions;
}

/** Checks and completes a family's record that stands by itself. */
export async function resolveOwnFamilyOptions(given: ColumnFamilyOptions): Promise<FamilyOptions> {
  checkRecord(given, 'family', '');
  return resolveFamilyOptions(given);
}

/** Checks a family's own record over the general one and completes it. */
export async function overlayFamily(
  general: ColumnFamilyOptions,
  own: ColumnFamilyOptions,
  name: string,
): Promise<FamilyOptions> {
  checkRecord(own, 'family', `columnFamilies.${name}.`);
  return resolveFamilyOptions({ ...general, ...defined(own) });
}

/** Checks and completes everything given to `DB.open`. */
export async function resolveOptions(given: Options): Promise<ResolvedOptions> {
  checkRecord(given, undefined, '');
  const general = familyPart(given);
  const base = await resolveFamilyOptions(general);
  let families: Map<string, FamilyOptions> | undefined;
  if (given.columnFamilies !== undefined) {
    if (
      typeof given.columnFamilies !== 'object' ||
      given.columnFamilies === null ||
      Array.isArray(given.columnFamilies)
    ) {
      throw invalidArgument('options.columnFamilies must be an object of options by family name');
    }
    families = new Map();
    for (const [name, own] of Object.entries(given.columnFamilies)) {
      if (name === '') throw invalidArgument('options.columnFamilies: a column family needs a non-empty name');
      families.set(name, await overlayFamily(general, own, name));
    }
  }
  const db = dbOptions(given);
  if (db.readOnly && db.createIfMissing) throw invalidArgument('options.readOnly contradicts options.createIfMissing');
  if (db.atomicFlush && db.allow2pc) throw invalidArgument('options.atomicFlush contradicts options.allow2pc');
  return { db, base, families };
}

/** Checks a partial record for `setOptions`: known, in range and mutable. */
export function checkMutable(given: MutableOptions): void {
  checkRecord(given, undefined, '');
  for (const name of Object.keys(given)) {
    if (!OPTION_TABLE.get(name)!.mutable)
      throw invalidArgument(`options.${name} cannot change while the database is open`);
  }
}
