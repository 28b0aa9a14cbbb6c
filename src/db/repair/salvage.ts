/**
 * What a repair works on: families with the tables saved for each, the numbers that files get, and the staging directory
 * where new tables are written. Nothing in the database directory changes before all of them are complete.
 */
import type { Comparator } from '../../../format/base/comparator.ts';
import type { Io } from '../../../format/base/io.ts';
import { io, noIo } from '../../../format/base/io.ts';
import { getKernel, type Kernel } from '../../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../../format/manifest/file-metadata.ts';
import { parseFileName, tableFileName } from '../../../format/manifest/file-name.ts';
import { TableReader } from '../../../format/sst/table-reader.ts';
import type { CompactionIo, InputTable, OutputFile } from '../../../compaction/compaction-io.ts';
import type { JobComponents, JobSettings } from '../../../compaction/job-settings.ts';
import { eventLoopTurn } from '../../background/event-loop-turn.ts';
import {
  createDirectories,
  createFresh,
  fileExists,
  listDirectory,
  openRandom,
  unlinkFile,
  unlinkIfPresent,
} from '../../env/file-operations.ts';
import type { MemTable } from '../../memtable/memtable.ts';
import type { DbContext } from '../../options/db-context.ts';
import type { FamilyOptions } from '../../options/resolved-options.ts';
import { makeFamilyMemTable } from '../../version/family-memtable.ts';
import { comparatorIdOf } from '../recover-families.ts';

/** Folder of new tables while a repair runs. */
const STAGING_DIRECTORY = 'repair.tmp';

/** A table that is good. */
export interface SalvagedTable {
  file: FileMetadata;
  path: string;
  /** Whether the repair made it, in the staging directory. */
  made: boolean;
}

/** A family and what was saved of it. */
export interface SalvagedFamily {
  readonly id: number;
  readonly name: string;
  readonly comparator: Comparator;
  readonly comparatorId: number;
  readonly options: FamilyOptions;
  /** Takes records of logs. */
  active: MemTable;
  /** Infinite while records are passed over that tables hold already, else 0 (`ReplayInserter`). */
  logNumber: number;
  tables: SalvagedTable[];
}

/** One repair. */
export class Salvage {
  readonly kernel: Kernel = getKernel();
  readonly context: DbContext;
  readonly families = new Map<number, SalvagedFamily>();
  /** Above every number in use, in the directory or beside it. */
  nextFileNumber = 2;
  lastSequence = 0;

  constructor(context: DbContext) {
    this.context = context;
  }

  get stagingPath(): string {
    return `${this.context.path}/${STAGING_DIRECTORY}`;
  }

  newFileNumber(): number {
    return this.nextFileNumber++;
  }

  reserveFileNumber(number: number): void {
    if (number >= this.nextFileNumber) this.nextFileNumber = number + 1;
  }

  /** Adds a family without anything in it. REQUIRES that its options name a comparator. */
  addFamily(id: number, name: string, options: FamilyOptions): SalvagedFamily {
    const comparator = options.comparator!.value;
    const identity = { id, name, comparator, comparatorId: comparatorIdOf(this.kernel, comparator), options };
    const family = { ...identity, active: makeFamilyMemTable(this.kernel, identity), logNumber: 0, tables: [] };
    this.families.set(id, family);
    return family;
  }

  /** Makes the staging directory, empty. */
  *begin(): Io<void> {
    yield* this.end();
    yield* createDirectories(this.context.fs, this.stagingPath);
  }

  /** Removes the staging directory with the tables in it; with anything else in it, it stays. */
  *end(): Io<void> {
    const { fs } = this.context;
    if (!(yield* fileExists(fs, this.stagingPath))) return;
    const names = yield* listDirectory(fs, this.stagingPath);
    const tables = names.filter((name) => parseFileName(name)?.kind === 'table');
    for (const name of tables) yield* unlinkFile(fs, `${this.stagingPath}/${name}`);
    if (tables.length < names.length) return;
    yield* io(
      () => fs.rmdirSync(this.stagingPath),
      () => fs.rmdir(this.stagingPath),
    );
  }

  /** Frees memory. */
  close(): void {
    for (const family of this.families.values()) family.active.unref();
    this.families.clear();
  }

  /** A family's memtable is replaced by an empty one; the caller owns the old one, which is immutable. */
  takeMemtable(family: SalvagedFamily): MemTable {
    const { active } = family;
    active.markImmutable();
    family.active = makeFamilyMemTable(this.kernel, family);
    return active;
  }

  /** What a job that writes tables of this family is told. */
  settingsOf(family: SalvagedFamily): JobSettings {
    const { table, compressionPerLevel, compression } = family.options;
    return {
      familyId: family.id,
      familyName: family.name,
      tableOptions: { ...table, compression: compressionPerLevel[0] ?? compression },
      snapshots: [],
      nowSeconds: this.context.nowSeconds(),
      dbId: '',
      dbSessionId: '',
      dbHostId: '',
      dynamicFileSize: false,
      sliceMs: 4,
    };
  }

  /** Opens a table of this family; the caller closes it. */
  *openTable(
    family: SalvagedFamily,
    table: Pick<SalvagedTable, 'path'>,
    number: number,
    size: number,
  ): Io<TableReader> {
    const { fs } = this.context;
    const file = yield* openRandom(fs, table.path);
    return yield* TableReader.open({
      file,
      fileSize: size,
      fileNumber: number,
      comparator: { id: family.comparatorId, name: family.comparator.name },
      verifyChecksums: true,
    });
  }
}

/** The live parts of a family that a job needs. A user's filter is not asked: a repair removes nothing. */
export function componentsOf(family: SalvagedFamily): JobComponents {
  return {
    comparator: family.comparator,
    comparatorId: family.comparatorId,
    mergeOperator: family.options.mergeOperator?.value,
    compactionFilter: undefined,
    prefixExtractor: family.options.prefixExtractor?.value,
  };
}

/** A job's view of files: inputs where they are, outputs in the staging directory. */
export class SalvageIo implements CompactionIo {
  readonly #salvage: Salvage;
  readonly #family: SalvagedFamily;
  readonly #tables: ReadonlyMap<number, SalvagedTable>;

  constructor(salvage: Salvage, family: SalvagedFamily, tables: readonly SalvagedTable[] = []) {
    this.#salvage = salvage;
    this.#family = family;
    this.#tables = new Map(tables.map((table) => [table.file.number, table]));
  }

  *openInput(file: FileMetadata): Io<InputTable> {
    const table = this.#tables.get(file.number)!;
    const reader = yield* this.#salvage.openTable(this.#family, table, file.number, file.sizeBytes);
    return { reader, release: () => reader.close() };
  }

  *createOutput(): Io<OutputFile> {
    const number = this.#salvage.newFileNumber();
    const path = `${this.#salvage.stagingPath}/${tableFileName(number)}`;
    return { number, file: yield* createFresh(this.#salvage.context.fs, path) };
  }

  *removeOutput(number: number): Io<void> {
    try {
      yield* unlinkIfPresent(this.#salvage.context.fs, `${this.#salvage.stagingPath}/${tableFileName(number)}`);
    } catch (error) {
      // The staging directory is emptied by the next repair.
      this.#salvage.context.logger.warn(`Cannot remove table ${number}: ${(error as Error).message}`);
    }
  }

  nowMicros(): number {
    return this.#salvage.context.clock.monotonicMicros();
  }

  throttle(): Io<void> {
    return noIo();
  }

  rest(): Io<void> {
    return eventLoopTurn();
  }

  checkCancelled(): void {}

  progress(): void {}
}
