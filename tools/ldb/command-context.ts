/** What a command has to work with: its arguments, its streams, the database it is about. */
import { resolve } from 'node:path';
import { utf8 } from '../../format/base/bytes.ts';
import { CURRENT_FILE } from '../../format/manifest/file-name.ts';
import { Env } from '../../src/env/env.ts';
import type { FileSystem } from '../../src/env/file-system.ts';
import {
  type ColumnFamily,
  type ColumnFamilyOptions,
  DB,
  type IteratorOptions,
  type Options,
  type RecoveryDrop,
} from '../../src/index.ts';
import type { Flags } from '../lib/arguments.ts';
import { bytesText } from '../lib/bytes-text.ts';
import { parsePrefixedHex, prefixedHex } from '../lib/hex.ts';
import type { Output } from '../lib/output.ts';
import type { ToolStreams } from '../lib/tool-process.ts';
import { commandFailure } from './command-failure.ts';
import { openOptions } from './open-options.ts';

const DEFAULT_FAMILY = 'default';

/**
 * Reading changes nothing, so that a database with a damaged log may be looked at up to the damage, as RocksDB's tool
 * does; to write to it the damage must be dealt with first.
 */
export const READ_OPTIONS = { readOnly: true, walCorruption: 'recoverToPoint' } as const;

/** One run of one command. */
export class CommandContext {
  /** Arguments that are no flags, the command's name left out. */
  readonly params: readonly string[];
  readonly flags: Flags;
  readonly streams: ToolStreams;
  readonly out: Output;
  readonly err: Output;
  readonly json: boolean;
  readonly ttl: boolean;
  /** The database's directory as it was given; it stands so in what is printed. */
  readonly path: string;

  constructor(params: readonly string[], flags: Flags, streams: ToolStreams) {
    this.params = params;
    this.flags = flags;
    this.streams = streams;
    this.out = streams.out;
    this.err = streams.err;
    this.json = flags.boolean('json');
    this.ttl = flags.boolean('ttl');
    this.path = flags.text('db') ?? '';
  }

  get fileSystem(): FileSystem {
    return Env.default.fileSystem;
  }

  get keyHex(): boolean {
    return this.flags.boolean('hex') || this.flags.boolean('key_hex');
  }

  get valueHex(): boolean {
    return this.flags.boolean('hex') || this.flags.boolean('value_hex');
  }

  /** Name of the family that was asked for. */
  get familyName(): string {
    return this.flags.text('column_family') ?? DEFAULT_FAMILY;
  }

  /** The bytes of a key on the command line. */
  key(text: string): Uint8Array {
    return this.keyHex ? parsePrefixedHex(text) : utf8(text);
  }

  /** The bytes of a value on the command line. */
  value(text: string): Uint8Array {
    return this.valueHex ? parsePrefixedHex(text) : utf8(text);
  }

  /** A key flag, `undefined` when it was not given or is empty. */
  keyFlag(name: string): Uint8Array | undefined {
    const text = this.flags.text(name);
    return text === undefined || text === '' ? undefined : this.key(text);
  }

  /** The range of `--from`, inclusive, and `--to`, exclusive. */
  bounds(): IteratorOptions {
    const [lower, upper] = [this.keyFlag('from'), this.keyFlag('to')];
    return {
      ...(lower === undefined ? {} : { iterateLowerBound: lower }),
      ...(upper === undefined ? {} : { iterateUpperBound: upper }),
    };
  }

  /** Unix seconds. */
  nowSeconds(): number {
    return Math.floor(Env.default.clock.nowMicros() / 1e6);
  }

  /** A key as it is printed. */
  shownKey(key: Uint8Array): string | Uint8Array {
    return this.keyHex ? prefixedHex(key) : key;
  }

  /** A value as it is printed. */
  shownValue(value: Uint8Array): string | Uint8Array {
    return this.valueHex ? prefixedHex(value) : value;
  }

  /** A key inside JSON. */
  jsonKey(key: Uint8Array): string {
    return bytesText(key, this.keyHex);
  }

  /** A value inside JSON. */
  jsonValue(value: Uint8Array): string {
    return bytesText(value, this.valueHex);
  }

  /** What the database was last opened with, and what the flags say. */
  options(): Promise<Options> {
    return openOptions(this);
  }

  /** Opens the database without a lock and without changing anything; a process may have it open. Close it. */
  async openForRead(): Promise<DB> {
    await this.requireFile(`${this.path}/${CURRENT_FILE}`);
    const db = await DB.open(resolve(this.path), { ...(await openOptions(this)), ...READ_OPTIONS });
    this.tellDrops(db.recovery.drops);
    return db;
  }

  /** Fails with RocksDB's words when the file cannot be opened. */
  async requireFile(path: string): Promise<void> {
    await (await this.fileSystem.openSequential(path)).close();
  }

  /** Fails with RocksDB's words when there is no database to write to. */
  async requireDatabase(): Promise<void> {
    const current = `${this.path}/${CURRENT_FILE}`;
    if (await this.fileSystem.exists(resolve(current))) return;
    throw commandFailure(`Invalid argument: ${current}: does not exist (create_if_missing is false)`);
  }

  /** Says on stderr which bytes of logs are not shown. */
  tellDrops(drops: readonly RecoveryDrop[]): void {
    for (const { file, offset, bytes, reason } of drops) {
      this.err.line(`Warning: ${bytes} bytes of ${file} from offset ${offset} on are left out: ${reason}`);
    }
  }

  /**
   * Opens the database to write to it; `changes` are options of the family that was asked for, on top of `base`. Every
   * such open stores its options, so whoever opens several times reads them once, before the first. Close it.
   */
  async openForWrite(createIfMissing = false, changes: ColumnFamilyOptions = {}, base?: Options): Promise<DB> {
    if (!createIfMissing) await this.requireDatabase();
    const options = base ?? (await this.options());
    const columnFamilies = { ...options.columnFamilies };
    const own = columnFamilies[this.familyName];
    if (own !== undefined) columnFamilies[this.familyName] = { ...own, ...changes };
    const families = options.columnFamilies === undefined ? changes : { columnFamilies };
    return DB.open(resolve(this.path), { ...options, ...families, createIfMissing });
  }

  /** Fails unless the family that was asked for is in the database. */
  async requireFamily(): Promise<void> {
    if ((await DB.listColumnFamilies(resolve(this.path))).includes(this.familyName)) return;
    throw commandFailure(`Non-existing column family ${this.familyName}`);
  }

  /** The family that was asked for. */
  family(db: DB): ColumnFamily {
    try {
      return db.columnFamily(this.familyName);
    } catch {
      throw commandFailure(`Non-existing column family ${this.familyName}`);
    }
  }
}
