/** The command line of sst_dump: its flags, their help, and what they say once they are checked. */

import { utf8 } from '../../format/base/bytes.ts';
import { type BadValue, Flags, type FlagTable, type GivenFlag, splitArguments } from '../lib/arguments.ts';
import { flagHelp } from '../lib/flag-help.ts';
import { parsePrefixedHex } from '../lib/hex.ts';
import { ToolFailure } from '../lib/tool-failure.ts';

/** What a run does with each table. */
export type DumpCommand = 'check' | 'scan' | 'none' | 'verify' | 'recompress' | 'identify' | 'raw';

const COMMANDS: ReadonlySet<string> = new Set<DumpCommand>([
  'check',
  'scan',
  'none',
  'verify',
  'recompress',
  'identify',
  'raw',
]);

/** A checked command line. */
export interface DumpOptions {
  readonly path: string;
  readonly command: DumpCommand;
  readonly outputHex: boolean;
  readonly json: boolean;
  /** First user key, inclusive. */
  readonly from: Uint8Array | undefined;
  /** Last user key, exclusive. */
  readonly to: Uint8Array | undefined;
  /** `from` is a prefix that every key must have. */
  readonly fromIsPrefix: boolean;
  /** Most entries to read in all, `undefined` all of them. */
  readonly readNumber: number | undefined;
  /** Bytes a read, `undefined` as the walk thinks best. */
  readonly readaheadSize: number | undefined;
  readonly verifyChecksum: boolean;
  readonly decodeBlobIndex: boolean;
  readonly showProperties: boolean;
  readonly showSummary: boolean;
  readonly blockSize: number;
  /** RocksDB's names of the codecs to try, `undefined` all. */
  readonly compressionTypes: readonly string[] | undefined;
  readonly compressionLevelFrom: number | undefined;
  readonly compressionLevelTo: number | undefined;
  /** Largest dictionary that recompress makes, 0 none, and the bytes of blocks it is made of, 0 for 64 MiB. */
  readonly maxDictBytes: number;
  readonly maxDictBufferBytes: number;
}

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'dump'; readonly options: DumpOptions }
  | { readonly kind: 'parse-key'; readonly key: string }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' };

/** The codecs that `recompress` can try, by RocksDB's names. */
export const COMPRESSION_TYPES = [
  'kNoCompression',
  'kSnappyCompression',
  'kZlibCompression',
  'kBZip2Compression',
  'kLZ4Compression',
  'kLZ4HCCompression',
  'kZSTD',
] as const;

const FLAGS: FlagTable = {
  file: {
    kind: 'text',
    value: '<data_dir_OR_sst_file>',
    refusal: unrecognized,
    help: 'The table, or a directory whose tables are looked at.',
  },
  command: {
    kind: 'text',
    refusal: unrecognized,
    value: '<command>',
    help:
      'check (default): read every entry, print only errors. scan: print every entry. verify: verify the checksum of ' +
      'every block. raw: write all there is to <name>_dump.txt beside the table. recompress: report the size under ' +
      'other codecs. identify: tell whether the file is a table, or which files of a directory are. none: open only.',
  },
  output_hex: { kind: 'boolean', help: 'Print keys and values of a scan as hex.' },
  json: { kind: 'boolean', help: 'Print entries and properties as JSON, one object a line.' },
  from: { kind: 'text', value: '<user_key>', refusal: unrecognized, help: 'First key of check and scan.' },
  to: { kind: 'text', value: '<user_key>', refusal: unrecognized, help: 'Key before which check and scan end.' },
  prefix: {
    kind: 'text',
    value: '<user_key>',
    refusal: unrecognized,
    help: 'Only keys that begin with this; not together with --from.',
  },
  read_num: {
    kind: 'integer',
    value: '<number>',
    refusal: unrecognized,
    help: 'Most entries that check and scan read, over all tables.',
  },
  readahead_size: { kind: 'integer', value: '<bytes>', refusal: notNumeric, help: 'Bytes a read of check and scan.' },
  verify_checksum: { kind: 'boolean', help: 'Verify checksums of data blocks in check, scan and verify.' },
  input_key_hex: { kind: 'boolean', help: 'The keys of --from, --to and --prefix are given as 0x and hex digits.' },
  show_properties: { kind: 'boolean', help: 'Print the properties of each table.' },
  show_summary: { kind: 'boolean', help: 'Print totals over all tables at the end.' },
  set_block_size: {
    kind: 'integer',
    value: '<bytes>',
    refusal: notNumeric,
    help: 'Block size that recompress tries; 16384 by default.',
  },
  compression_types: {
    kind: 'text',
    refusal: unrecognized,
    value: '<list>',
    help: `Codecs that recompress tries, separated by commas: ${COMPRESSION_TYPES.join(', ')}.`,
  },
  compression_level_from: {
    kind: 'integer',
    value: '<level>',
    refusal: notNumeric,
    help: 'First level that recompress tries.',
  },
  compression_level_to: {
    kind: 'integer',
    value: '<level>',
    refusal: notNumeric,
    help: 'Last level that recompress tries.',
  },
  parse_internal_key: {
    kind: 'text',
    value: '<0xKEY>',
    refusal: unrecognized,
    help: 'Print the parts of an internal key; needs no file.',
  },
  decode_blob_index: {
    kind: 'boolean',
    help: 'Decode blob indexes in a scan; a table that has any is refused.',
  },
  env_uri: { kind: 'text', bare: '' },
  fs_uri: { kind: 'text', bare: '' },
  compression_max_dict_bytes: {
    kind: 'integer',
    value: '<bytes>',
    refusal: notNumeric,
    help: 'Largest dictionary that recompress makes.',
  },
  compression_zstd_max_train_bytes: { kind: 'text', bare: '' },
  compression_max_dict_buffer_bytes: {
    kind: 'integer',
    value: '<bytes>',
    refusal: notNumeric,
    help: 'Bytes of blocks that the dictionary of recompress is made of; 0, the default: 64 MiB.',
  },
  compression_use_zstd_finalize_dict: { kind: 'text', bare: '' },
  help: { kind: 'boolean', help: 'Print this.' },
  version: { kind: 'boolean', help: 'Print the version.' },
};

function unrecognized({ name, value }: GivenFlag): string {
  return usage(`Unrecognized argument '--${name}${value === undefined ? '' : `=${value}`}'`);
}

function notNumeric(flag: GivenFlag, problem: BadValue): string {
  if (problem === 'missing') return unrecognized(flag);
  return `${flag.name === 'set_block_size' ? 'block size' : flag.name} must be numeric`;
}

/** What is wrong with the command line, then how it should be. */
function usage(message: string): string {
  return `${message}\n\n${helpText().trimEnd()}\n`;
}

/** The help. */
export function helpText(): string {
  return `sst_dump --file=<data_dir_OR_sst_file> [--command=check|scan|raw|verify|recompress|identify|none]\n${flagHelp(FLAGS)}`;
}

/** Flags of RocksDB's that ask for what Pumice does not have. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['env_uri', 'only the file system of the machine is supported'],
  ['fs_uri', 'only the file system of the machine is supported'],
  ['compression_zstd_max_train_bytes', 'dictionaries are samples of the data, not trained'],
  ['compression_use_zstd_finalize_dict', 'dictionaries are samples of the data, not trained'],
]);

const DEFAULT_BLOCK_SIZE = 16384;

/** Checks the command line; a `ToolFailure` that ends in the help when something is wrong with it. */
export function parseRequest(args: readonly string[]): Request {
  const { flags: given, words } = splitArguments(args);
  const flags = new Flags(given, FLAGS, (flag) => new ToolFailure(unrecognized(flag)));
  if (words.length > 0) throw new ToolFailure(usage(`Unrecognized argument '${words[0]}'`));
  if (flags.has('help')) return { kind: 'help' };
  if (flags.has('version')) return { kind: 'version' };
  for (const [name, why] of REFUSED) {
    if (flags.has(name)) throw new ToolFailure(`Not implemented: --${name}: ${why}`);
  }
  const key = flags.text('parse_internal_key');
  if (key !== undefined) return { kind: 'parse-key', key };
  if (flags.has('prefix') && flags.has('from')) throw new ToolFailure('Cannot specify --prefix and --from\n');
  if (flags.text('file') === undefined) throw new ToolFailure(usage('file or directory must be specified.'));
  return { kind: 'dump', options: dumpOptions(flags) };
}

function dumpOptions(flags: Flags): DumpOptions {
  const command = flags.text('command') ?? 'check';
  if (!COMMANDS.has(command)) {
    throw new ToolFailure(`Unknown command '${command}': expected one of ${[...COMMANDS].join(', ')}`);
  }
  const keyOf = (text: string | undefined): Uint8Array | undefined => {
    if (text === undefined) return undefined;
    return flags.boolean('input_key_hex') ? parsePrefixedHex(text) : utf8(text);
  };
  const readNumber = flags.number('read_num');
  return {
    path: flags.text('file')!,
    command: command as DumpCommand,
    outputHex: flags.boolean('output_hex'),
    json: flags.boolean('json'),
    from: keyOf(flags.text('prefix') ?? flags.text('from')),
    to: keyOf(flags.text('to')),
    fromIsPrefix: flags.has('prefix'),
    readNumber: readNumber !== undefined && readNumber > 0 ? readNumber : undefined,
    readaheadSize: flags.number('readahead_size') === 0 ? undefined : positive(flags, 'readahead_size'),
    verifyChecksum: flags.boolean('verify_checksum'),
    decodeBlobIndex: flags.boolean('decode_blob_index'),
    showProperties: flags.boolean('show_properties'),
    showSummary: flags.boolean('show_summary'),
    blockSize: positive(flags, 'set_block_size') ?? DEFAULT_BLOCK_SIZE,
    compressionTypes: compressionTypes(flags.text('compression_types')),
    ...compressionLevels(flags),
    maxDictBytes: bytesUpTo(flags, 'compression_max_dict_bytes', 0xffffffff, 'a uint32_t'),
    maxDictBufferBytes: bytesUpTo(flags, 'compression_max_dict_buffer_bytes', Number.MAX_SAFE_INTEGER, 'positive'),
  };
}

function positive(flags: Flags, name: string): number | undefined {
  const value = flags.number(name);
  if (value !== undefined && value <= 0) throw new ToolFailure(`${name} must be positive.`);
  return value;
}

/** The flag's bytes, 0 by default; `what` is RocksDB's word for those it takes. */
function bytesUpTo(flags: Flags, name: string, most: number, what: string): number {
  const value = flags.number(name) ?? 0;
  if (value < 0 || value > most) throw new ToolFailure(`${name} must be ${what}: '--${name}=${value}'`);
  return value;
}

function compressionTypes(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!(COMPRESSION_TYPES as readonly string[]).includes(name)) {
      throw new ToolFailure(`${name} is not a valid CompressionType`);
    }
  }
  return names;
}

function compressionLevels(flags: Flags): Pick<DumpOptions, 'compressionLevelFrom' | 'compressionLevelTo'> {
  const compressionLevelFrom = flags.number('compression_level_from');
  const compressionLevelTo = flags.number('compression_level_to');
  if ((compressionLevelFrom === undefined) !== (compressionLevelTo === undefined)) {
    throw new ToolFailure('Specify both --compression_level_from and --compression_level_to.\n');
  }
  if (compressionLevelFrom !== undefined && compressionTypes(flags.text('compression_types'))?.length !== 1) {
    throw new ToolFailure('Specify one compression type.\n');
  }
  return { compressionLevelFrom, compressionLevelTo };
}
