/**
 * sst_dump: looks at tables one by one, without their database. Text and exit codes are those of RocksDB's tool;
 * `tools/README.md` lists where they differ.
 */
import { join } from 'node:path';
import { DBError } from '../../format/base/db-error.ts';
import { runAsync } from '../../format/base/io.ts';
import { Env } from '../../src/env/env.ts';
import { isNotFound } from '../../src/env/file-error.ts';
import type { FileSystem } from '../../src/env/file-system.ts';
import { replaceFile } from '../lib/file-target.ts';
import { Output } from '../lib/output.ts';
import { statusText } from '../lib/status-text.ts';
import { type OpenTableFile, openTableFile, readTableFooter, readTableHead } from '../lib/table-file.ts';
import { ToolFailure } from '../lib/tool-failure.ts';
import type { ToolStreams } from '../lib/tool-process.ts';
import { VERSION_TEXT } from '../lib/version-text.ts';
import { parseInternalKey } from './commands/parse-key.ts';
import { rawDumpPath, writeRawDump } from './commands/raw-dump.ts';
import { readEntries } from './commands/read-entries.ts';
import { recompress } from './commands/recompress.ts';
import { showProperties } from './commands/show-properties.ts';
import { type DumpOptions, helpText, parseRequest } from './options.ts';

/** What a run has seen so far. */
interface Totals {
  files: number;
  dataBlocks: number;
  dataSize: number;
  indexSize: number;
  filterSize: number;
  entriesRead: number;
  readonly valid: string[];
  boundsShown: boolean;
}

/** Runs the tool; returns its exit code. */
export async function sstDump(args: readonly string[], streams: ToolStreams): Promise<number> {
  const request = parseRequest(args);
  switch (request.kind) {
    case 'help':
      streams.out.write(helpText());
      return 0;
    case 'version':
      streams.out.line(`sst_dump (${VERSION_TEXT})`);
      return 0;
    case 'parse-key':
      return parseInternalKey(request.key, streams.out, streams.err);
    case 'dump':
      return new Dump(request.options, streams).run();
  }
}

class Dump {
  readonly #options: DumpOptions;
  readonly #out: Output;
  readonly #err: Output;
  readonly #fileSystem: FileSystem = Env.default.fileSystem;
  readonly #totals: Totals = {
    files: 0,
    dataBlocks: 0,
    dataSize: 0,
    indexSize: 0,
    filterSize: 0,
    entriesRead: 0,
    valid: [],
    boundsShown: false,
  };

  constructor(options: DumpOptions, streams: ToolStreams) {
    this.#options = options;
    this.#out = streams.out;
    this.#err = streams.err;
  }

  async run(): Promise<number> {
    // RocksDB's tool prints an address here; scripts skip the line.
    if (!this.#options.json) this.#out.line('options.env is 0x0');
    const { paths, isDirectory } = await this.#findTables();
    for (const path of paths) {
      if (!(await this.#dumpFile(path))) break;
    }
    if (this.#options.showSummary && !this.#options.json) this.#showSummary();
    return this.#conclude(isDirectory);
  }

  async #findTables(): Promise<{ paths: string[]; isDirectory: boolean }> {
    const { path } = this.#options;
    let isDirectory: boolean;
    try {
      isDirectory = (await this.#fileSystem.stat(path)).kind === 'directory';
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#out.flush();
      throw new ToolFailure(`NotFound: ${path}: No such file or directory`);
    }
    const inside = isDirectory ? await this.#fileSystem.list(path) : [];
    // RocksDB's tool takes a directory without any file for a table that is none.
    isDirectory = inside.length > 0;
    const names = isDirectory ? inside.map((name) => join(path, name)) : [path];
    return { paths: names.filter((name) => /\.(?:sst|ldb)$/.test(name)), isDirectory };
  }

  /** False: the limit of entries is reached, no further table is to be read. */
  async #dumpFile(path: string): Promise<boolean> {
    if (!this.#options.json) this.#out.line(`Process ${path}`);
    let table: OpenTableFile;
    try {
      table = await openTableFile(this.#fileSystem, path, this.#options.verifyChecksum);
      if (!this.#options.json) this.#out.line('Sst file format: block-based');
    } catch (error) {
      if (!(error instanceof DBError)) throw error;
      await this.#describeUnreadable(path);
      this.#err.line(`${path}: ${statusText(error)}`);
      return true;
    }
    try {
      this.#totals.valid.push(path);
      return await this.#dumpTable(table);
    } finally {
      table.close();
    }
  }

  /** A table that does not open: says how far it can be understood. */
  async #describeUnreadable(path: string): Promise<void> {
    try {
      await readTableFooter(this.#fileSystem, path);
    } catch {
      return;
    }
    if (this.#options.json) return;
    try {
      await readTableHead(this.#fileSystem, path);
      this.#out.line('Sst file format: block-based');
    } catch {
      this.#out.write('Not able to read table properties\nSst file format: block-based(old version)\n');
    }
  }

  async #dumpTable(table: OpenTableFile): Promise<boolean> {
    switch (this.#options.command) {
      case 'raw':
        await this.#dumpRaw(table);
        // Nothing else is shown of such a table, nor is it counted.
        return true;
      case 'recompress':
        await recompress(table, this.#options, this.#out);
        return true;
      case 'check':
      case 'scan':
        if (!(await this.#readEntries(table))) return false;
        break;
      case 'verify':
        await this.#verify(table);
        break;
      case 'none':
      case 'identify':
        break;
    }
    this.#count(table);
    if (this.#options.showProperties) showProperties(table, this.#options.json, this.#out);
    return true;
  }

  async #dumpRaw(table: OpenTableFile): Promise<void> {
    const path = rawDumpPath(table.path);
    const target = await replaceFile(this.#fileSystem, path);
    const out = new Output(target);
    try {
      await writeRawDump(table, out);
    } catch (error) {
      if (!(error instanceof DBError)) throw error;
      this.#err.line(`${table.path}: ${statusText(error)}`);
    } finally {
      out.end();
      await target.close();
    }
    this.#out.line(`raw dump written to file ${path}`);
  }

  async #readEntries(table: OpenTableFile): Promise<boolean> {
    const { from, to, readNumber, json } = this.#options;
    if (!this.#totals.boundsShown && !json) {
      const shown = (key: Uint8Array | undefined): string =>
        key === undefined ? '' : Buffer.from(key).toString('hex').toUpperCase();
      this.#out.line(`from [${shown(from)}] to [${shown(to)}]`);
    }
    this.#totals.boundsShown = true;
    const limit = (readNumber ?? Number.POSITIVE_INFINITY) - this.#totals.entriesRead;
    try {
      const { count, limited } = await readEntries(table, this.#options, limit, this.#out);
      this.#totals.entriesRead += count;
      return !limited;
    } catch (error) {
      if (!(error instanceof DBError)) throw error;
      this.#err.line(`${table.path}: ${statusText(error)}`);
      return true;
    }
  }

  async #verify(table: OpenTableFile): Promise<void> {
    try {
      // Without the flag RocksDB's tool trusts what opening the table has verified.
      if (this.#options.verifyChecksum) await runAsync(table.reader.verifyChecksums());
      this.#out.line('The file is ok');
    } catch (error) {
      if (!(error instanceof DBError)) throw error;
      this.#err.line(`${table.path} is corrupted: ${statusText(error)}`);
    }
  }

  #count(table: OpenTableFile): void {
    const { properties } = table.reader;
    this.#totals.files++;
    this.#totals.dataBlocks += properties.numDataBlocks;
    this.#totals.dataSize += properties.dataSize;
    this.#totals.indexSize += properties.indexSize;
    this.#totals.filterSize += properties.filterSize;
  }

  #showSummary(): void {
    const { files, dataBlocks, dataSize, indexSize, filterSize } = this.#totals;
    this.#out.line(`total number of files: ${files}`);
    this.#out.line(`total number of data blocks: ${dataBlocks}`);
    this.#out.line(`total data block size: ${dataSize}`);
    this.#out.line(`total index block size: ${indexSize}`);
    this.#out.line(`total filter block size: ${filterSize}`);
  }

  #conclude(isDirectory: boolean): number {
    const { path, command, json } = this.#options;
    const { valid } = this.#totals;
    if (valid.length === 0) {
      if (isDirectory && !json) this.#out.line('------------------------------');
      this.#err.line(isDirectory ? `No valid SST files found in ${path}` : `${path} is not a valid SST file`);
      return 1;
    }
    if (command !== 'identify') return 0;
    if (json) {
      for (const file of valid) this.#out.line(JSON.stringify({ file }));
    } else if (isDirectory) {
      this.#out.line('------------------------------');
      this.#out.line(`List of valid SST files found in ${path}:`);
      for (const file of valid) this.#out.line(file);
      this.#out.line(`Number of valid SST files: ${valid.length}`);
    } else {
      this.#out.line(`${path} is a valid SST file`);
    }
    return 0;
  }
}
