/**
 * A database at work on a file system that knows what a power cut would leave. Before every change of the file system,
 * and after every promise of durability, images of what the disk might hold are taken, each with what the database has
 * promised at that moment.
 */

import { CRASH_MODELS, type CrashModel } from '../../src/env/crash-image.ts';
import type { FileOperation, FileOperationKind } from '../../src/env/file-operation.ts';
import { MemoryFileSystem, type MemoryFileSystemOptions } from '../../src/env/memory-file-system.ts';
import { DB, Env, type Options, type Snapshot, WriteBatch } from '../../src/index.ts';
import { addToBatch, type Operation } from '../model/operation.ts';
import { type OptionSet, openOptions } from '../model/option-sets.ts';
import type { Random } from '../support/random.ts';
import { History } from './history.ts';
import { expectNoLeftovers } from './leftover-files.ts';

/** Where the database lies in every image. */
export const DIRECTORY = '/db';

const CHANGES: ReadonlySet<FileOperationKind> = new Set<FileOperationKind>([
  ...(['create', 'reuse', 'append', 'sync', 'truncate', 'directory-sync'] as const),
  ...(['rename', 'link', 'unlink', 'mkdir', 'rmdir'] as const),
]);

/** True for calls that change what a power cut may leave. */
export function isChange(operation: FileOperation): boolean {
  return CHANGES.has(operation.kind);
}

/** True for models in which unsynced bytes may be lost in front of others that are kept. */
export function losesInTheMiddle(model: CrashModel): boolean {
  return model === 'subset' || model === 'dirs';
}

/** What a disk may hold, and the states of the history that are right for it. */
export interface Image {
  fileSystem: MemoryFileSystem;
  history: History;
  least: number;
  most: number;
  model: CrashModel;
  /** The model may lose unsynced bytes of a log and keep later ones. */
  mayHaveGaps: boolean;
  /** Where it was taken, for the report. */
  place: string;
}

/** How many images of each model are drawn at a cut. */
export type ImagesPerCut = Record<CrashModel, number>;

/** Makes the file system of a run; tests of the harness itself plant their bugs here. */
export type MakeFileSystem = (options: MemoryFileSystemOptions) => MemoryFileSystem;

/** A run in progress: workloads call its methods, it keeps the truth and collects the images. */
export class PowerCutRun {
  readonly optionSet: OptionSet;
  readonly random: Random;
  readonly images: Image[] = [];
  readonly history: History;
  private readonly fileSystem: MemoryFileSystem;
  private readonly env: Env;
  private readonly perCut: ImagesPerCut;
  private readonly label: string;
  private readonly extra: Options;
  private readonly seen = new Set<string>();
  private readonly snapshots: Snapshot[] = [];
  private issued = 0;
  private durable = 0;
  private database: DB | undefined;

  constructor(settings: {
    label: string;
    optionSet: OptionSet;
    random: Random;
    perCut: ImagesPerCut;
    extra?: Options;
    makeFileSystem?: MakeFileSystem;
  }) {
    this.label = settings.label;
    this.optionSet = settings.optionSet;
    this.random = settings.random;
    this.perCut = settings.perCut;
    this.extra = settings.extra ?? {};
    this.history = new History(settings.optionSet);
    const make = settings.makeFileSystem ?? ((options) => new MemoryFileSystem(options));
    const before = (index: number, operation: FileOperation): undefined => {
      if (isChange(operation)) {
        this.cut(`before call ${index}, ${operation.kind} ${operation.path}`);
      }
    };
    this.fileSystem = make({ crashable: true, hooks: { before } });
    this.env = new Env({ fileSystem: this.fileSystem });
  }

  /** The open database. */
  get db(): DB {
    if (this.database === undefined) {
      throw new Error('the database is not open');
    }
    return this.database;
  }

  async open(): Promise<void> {
    this.database = await DB.open(DIRECTORY, openOptions(this.optionSet, { ...this.extra, env: this.env }));
  }

  async close(): Promise<void> {
    if (this.database === undefined) {
      return;
    }
    for (const snapshot of this.snapshots.splice(0)) {
      snapshot.release();
    }
    // With no snapshot or iterator left, every replaced table must go: somebody forgot a reference else.
    await expectNoLeftovers(this.db, () => this.fileSystem.listSync(DIRECTORY), this.label);
    await this.database.close();
    this.database = undefined;
    this.cut('after close');
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  /** One atomic write. With `sync` all writes up to it are promised once it is acknowledged. */
  async write(operations: Operation[], sync: boolean): Promise<void> {
    const batch = new WriteBatch();
    for (const operation of operations) {
      addToBatch(batch, operation);
    }
    const number = this.history.push(operations);
    this.issued = number;
    await this.db.write(batch, { sync });
    if (sync) {
      this.promise(number);
    }
  }

  async flush(): Promise<void> {
    const number = this.issued;
    await this.db.flush();
    this.promise(number);
  }

  async flushFamily(name: string): Promise<void> {
    await this.db.columnFamily(name).flush();
  }

  async compact(): Promise<void> {
    for (const name of Object.keys(this.optionSet.families)) {
      await this.db.columnFamily(name).compactRange();
    }
  }

  /** Brings all there is in the default family down to one level. */
  async compactToLevel(targetLevel: number): Promise<void> {
    await this.db.compactRange({ changeLevel: true, targetLevel });
  }

  async syncWal(): Promise<void> {
    const number = this.issued;
    await this.db.syncWal();
    this.promise(number);
  }

  async flushWal(): Promise<void> {
    const number = this.issued;
    await this.db.flushWal(true);
    this.promise(number);
  }

  /** Holds the last few snapshots, so that old versions and tombstones must be kept. */
  snapshot(): void {
    this.snapshots.push(this.db.snapshot());
    if (this.snapshots.length > 2) {
      this.snapshots.shift()?.release();
    }
  }

  /** Ends the run without closing properly, as a failed workload does. */
  async abandon(): Promise<void> {
    this.fileSystem.hooks = {};
    await this.database?.close().catch(() => undefined);
    this.database = undefined;
  }

  private promise(number: number): void {
    this.durable = Math.max(this.durable, number);
    this.cut('after a promise');
  }

  private cut(place: string): void {
    for (const model of CRASH_MODELS) {
      for (let i = 0; i < this.perCut[model]; i++) {
        const fileSystem = this.fileSystem.crashImage(model, this.random);
        const identity = `${fileSystem.contentHash()} ${this.durable} ${this.issued}`;
        if (!this.seen.has(identity)) {
          this.seen.add(identity);
          const { history, durable: least, issued: most } = this;
          const mayHaveGaps = losesInTheMiddle(model);
          this.images.push({ fileSystem, history, least, most, model, mayHaveGaps, place: `${this.label}, ${place}` });
        }
      }
    }
  }
}
