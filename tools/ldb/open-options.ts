/** The options that a database is opened with: its stored tuning first, then what the flags say. */
import { resolve } from 'node:path';
import type { FileSystem } from '../../src/env/file-system.ts';
import { type ColumnFamilyOptions, type CompressionType, DB, fixedPrefix, type Options } from '../../src/index.ts';
import type { Flags } from '../lib/arguments.ts';
import { commandFailure } from './command-failure.ts';
import { readNewestOptionsFile, tuningOf } from './stored-tuning.ts';

/** What must be known to open a database; a `CommandContext` is one. */
export interface OpenRequest {
  readonly flags: Flags;
  /** The database's directory as it was given. */
  readonly path: string;
  readonly fileSystem: FileSystem;
}

const COMPRESSION_WORDS: ReadonlyMap<string, CompressionType> = new Map([
  ['no', 'none'],
  ['snappy', 'snappy'],
  ['zlib', 'zlib'],
  ['bzip2', 'bzip2'],
  ['lz4', 'lz4'],
  ['lz4hc', 'lz4hc'],
  ['zstd', 'zstd'],
]);

/** Options for `DB.open`, without `readOnly` and `createIfMissing`. A `ToolFailure` for a flag with a bad value. */
export async function openOptions(context: OpenRequest): Promise<Options> {
  const { flags } = context;
  const given = familyFlags(flags);
  const stored = await storedTuning(context);
  const columnFamilies = Object.fromEntries(
    Object.entries(stored.columnFamilies ?? {}).map(([name, options]) => [name, withFlags(options, given)]),
  );
  const dbWriteBufferSize = positive(flags, 'db_write_buffer_size');
  if (dbWriteBufferSize !== undefined) stored.dbWriteBufferSize = dbWriteBufferSize;
  return { ...stored, ...given, ...(stored.columnFamilies === undefined ? {} : { columnFamilies }) };
}

/** The flags win; what they do not say of the codec stays. */
function withFlags(stored: ColumnFamilyOptions, given: ColumnFamilyOptions): ColumnFamilyOptions {
  const compressionOptions = { ...stored.compressionOptions, ...given.compressionOptions };
  return { ...stored, ...given, compressionOptions };
}

async function storedTuning({ flags, path, fileSystem }: OpenRequest): Promise<Options> {
  const wanted = flags.boolean('try_load_options', !flags.boolean('create_if_missing') && !flags.boolean('ttl'));
  if (!wanted || !(await fileSystem.exists(`${resolve(path)}/CURRENT`))) return {};
  const file = await readNewestOptionsFile(fileSystem, path);
  return file === undefined ? {} : tuningOf(file, await DB.listColumnFamilies(resolve(path)));
}

function positive(flags: Flags, name: string): number | undefined {
  const value = flags.number(name);
  if (value !== undefined && value <= 0) throw commandFailure(`${name} must be > 0.`);
  return value;
}

function familyFlags(flags: Flags): ColumnFamilyOptions {
  const options: ColumnFamilyOptions = {};
  const bloomBits = positive(flags, 'bloom_bits');
  if (bloomBits !== undefined) options.filterPolicy = { type: 'bloom', bitsPerKey: bloomBits };
  const blockSize = positive(flags, 'block_size');
  if (blockSize !== undefined) options.blockSize = blockSize;
  const writeBufferSize = positive(flags, 'write_buffer_size');
  if (writeBufferSize !== undefined) options.writeBufferSize = writeBufferSize;
  const fileSize = positive(flags, 'file_size');
  if (fileSize !== undefined) options.targetFileSizeBase = fileSize;
  const prefixLength = positive(flags, 'fix_prefix_len');
  if (prefixLength !== undefined) options.prefixExtractor = fixedPrefix(prefixLength);
  const compression = flags.text('compression_type');
  if (compression !== undefined) options.compression = compressionOf(compression);
  const maxDictBytes = flags.number('compression_max_dict_bytes');
  if (maxDictBytes !== undefined && maxDictBytes < 0) throw commandFailure('compression_max_dict_bytes must be >= 0.');
  if (maxDictBytes !== undefined) options.compressionOptions = { maxDictBytes };
  if (flags.has('auto_compaction')) options.disableAutoCompactions = !flags.boolean('auto_compaction');
  return options;
}

function compressionOf(word: string): CompressionType {
  const type = COMPRESSION_WORDS.get(word);
  if (type === undefined) throw commandFailure(`Unknown compression algorithm: ${word}`);
  return type;
}
