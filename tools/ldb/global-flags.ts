/** The flags that every command of ldb takes. */
import type { FlagTable } from '../lib/arguments.ts';
import type { Format } from './command.ts';

/** Where the database is. */
export const PLACE_FLAGS: FlagTable = {
  db: { kind: 'text', value: '<directory>', help: 'The database. Most commands need it.' },
  column_family: { kind: 'text', value: '<name>', help: 'The column family to work on; default: default.' },
};

/** How keys and values are written, for the commands that have a use for it. */
export const FORMAT_FLAGS: FlagTable = {
  hex: { kind: 'boolean', help: 'Keys and values are given and printed as 0x and hex digits.' },
  key_hex: { kind: 'boolean', help: 'The same for keys only.' },
  value_hex: { kind: 'boolean', help: 'The same for values only.' },
  json: { kind: 'boolean', help: 'Print what is found as JSON, one object a line.' },
  ttl: { kind: 'boolean', help: 'Values end in the time they were written at: a database of TtlDB.' },
};

const FORMAT_NAMES: Readonly<Record<Format, readonly string[]>> = {
  hex: ['hex', 'key_hex', 'value_hex'],
  json: ['json'],
  ttl: ['ttl'],
};

/** The flags of these formats. */
export function formatFlags(formats: readonly Format[]): FlagTable {
  const names = formats.flatMap((format) => FORMAT_NAMES[format]);
  return Object.fromEntries(names.map((name) => [name, FORMAT_FLAGS[name]!]));
}

/** How the database is opened. Commands that only read open it without a lock and change nothing. */
export const OPEN_FLAGS: FlagTable = {
  try_load_options: {
    kind: 'boolean',
    help: 'Take tuning from the newest OPTIONS file; default true unless a database is created.',
  },
  ignore_unknown_options: { kind: 'boolean', help: 'Pass over options of that file that are not known.' },
  bloom_bits: { kind: 'integer', value: '<bits>', help: 'Bloom filter bits a key of tables that are written.' },
  fix_prefix_len: { kind: 'integer', value: '<bytes>', help: 'Prefix extractor of this fixed length.' },
  compression_type: { kind: 'text', value: '<no|snappy|zlib|bzip2|lz4|lz4hc|zstd>', help: 'Codec of new tables.' },
  compression_max_dict_bytes: {
    kind: 'integer',
    value: '<bytes>',
    help: 'Largest dictionary of new tables; zlib, lz4, lz4hc and zstd have them.',
  },
  block_size: { kind: 'integer', value: '<bytes>', help: 'Block size of new tables.' },
  auto_compaction: { kind: 'boolean', value: '<true|false>', help: 'Whether compactions start by themselves.' },
  write_buffer_size: { kind: 'integer', value: '<bytes>', help: 'Size at which a memtable is flushed.' },
  db_write_buffer_size: { kind: 'integer', value: '<bytes>', help: 'The same for all families together.' },
  file_size: { kind: 'integer', value: '<bytes>', help: 'Target size of tables.' },
};

/** Flags of RocksDB's tool for what Pumice does not have, and why; given, they are refused. */
export const REFUSED_FLAGS: ReadonlyMap<string, string> = new Map([
  ['env_uri', 'only the file system of the machine is supported'],
  ['fs_uri', 'only the file system of the machine is supported'],
  ['backup_env_uri', 'only the file system of the machine is supported'],
  ['backup_fs_uri', 'only the file system of the machine is supported'],
  ['secondary_path', 'secondary instances are not supported; commands that only read never need one'],
  ['disable_consistency_checks', 'a tree whose tables are out of order is never opened'],
  ['enable_blob_files', 'blob files are not supported'],
  ['min_blob_size', 'blob files are not supported'],
  ['blob_file_size', 'blob files are not supported'],
  ['blob_compression_type', 'blob files are not supported'],
  ['enable_blob_garbage_collection', 'blob files are not supported'],
  ['blob_garbage_collection_age_cutoff', 'blob files are not supported'],
  ['blob_garbage_collection_force_threshold', 'blob files are not supported'],
  ['blob_compaction_readahead_size', 'blob files are not supported'],
]);
