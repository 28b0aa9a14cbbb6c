/**
 * Runs one flush or compaction and hands its result back: in a worker thread where the file system and the family's
 * components can travel there, else on this thread in slices. Either way it is one operation (`Io`) whose steps may be
 * repeated, so that a blocking writer can finish it (`IoTask.finishSync`).
 */
import { type Compaction, inputBytes } from '../../compaction/compaction.ts';
import { runCompaction, runFlush } from '../../compaction/compaction-job.ts';
import type { CompactionResult } from '../../compaction/compaction-result.ts';
import type { JobComponents, JobSettings } from '../../compaction/job-settings.ts';
import {
  ControlBlock,
  fileNumbersFor,
  type TravellingComponents,
  type WorkerJob,
  withOwnBytes,
} from '../../compaction/worker/protocol.ts';
import type { CompactionFilter } from '../../format/base/compaction-filter.ts';
import { DBError } from '../../format/base/db-error.ts';
import { type Io, inPlace } from '../../format/base/io.ts';
import { tableFileName } from '../../format/manifest/file-name.ts';
import { listDirectory, unlinkIfPresent } from '../env/file-operations.ts';
import type { FileSystemWorkerSpec } from '../env/file-system.ts';
import type { Logger } from '../env/logger.ts';
import { compactionTableOptions, flushTableOptions } from '../options/table-options-of-job.ts';
import type { TableAccess } from '../read/point-lookup.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { VersionSet } from '../version/version-set.ts';
import { LocalCompactionIo } from './local-compaction-io.ts';
import { travellingComponents } from './travelling-components.ts';
import { type PoolRequest, WorkerPool } from './worker-pool.ts';

/** Milliseconds of work on the opening thread between two turns of the event loop. */
const SLICE_MS = 4;

/** A job of fewer bytes is done here within a slice, sooner than a worker would hear of it. */
const SMALL_JOB_BYTES = 64 * 1024;

/** How much more file numbers a job gets when those it had did not do. */
const MORE_NUMBERS = 8;

/** Who the database is, for the properties of its tables. */
export interface DbIdentity {
  dbId: string;
  sessionId: string;
  hostId: string;
}

/** One job. */
export interface Job {
  family: ColumnFamilyState;
  snapshots: readonly number[];
  work:
    | { kind: 'flush'; memtables: readonly number[]; oldestKeyTime: number }
    | { kind: 'compaction'; compaction: Compaction };
  isCancelled: () => boolean;
}

/** Runs jobs of one database. */
export class JobRunner {
  readonly #versions: VersionSet;
  readonly #access: TableAccess;
  readonly #identity: DbIdentity;
  readonly #inWorkers = new Map<ControlBlock, Job>();
  /** The threads that have had jobs of this database. */
  #pool: WorkerPool | undefined;

  constructor(versions: VersionSet, access: TableAccess, identity: DbIdentity) {
    this.#versions = versions;
    this.#access = access;
    this.#identity = identity;
  }

  /** Whether jobs can run beside each other, in worker threads. */
  get hasWorkers(): boolean {
    return this.#versions.context.fs.workerSpec !== undefined;
  }

  get logger(): Logger {
    return this.#versions.context.logger;
  }

  /** Carries the job out. Its outputs are complete and synced, and nothing refers to them yet. */
  run(job: Job): Io<CompactionResult> {
    const spec = this.#versions.context.fs.workerSpec;
    if (spec === undefined || sizeOf(job) < SMALL_JOB_BYTES) return this.#runHere(job);
    const components = travellingComponents(job.family.options, job.work.kind);
    return components === undefined ? this.#runHere(job) : this.#runInWorker(job, spec, components);
  }

  /** Blocks, taking workers' answers in, until `done`. Without workers it comes back at once. */
  waitSync(done: () => boolean): void {
    this.#pool?.waitSync(done);
  }

  /** Stops the jobs in workers that are to be cancelled by now; those on this thread look for themselves. */
  applyCancellations(): void {
    for (const [control, job] of this.#inWorkers) if (job.isCancelled()) control.cancel();
  }

  *#runInWorker(job: Job, spec: FileSystemWorkerSpec, components: TravellingComponents): Io<CompactionResult> {
    const { context } = this.#versions;
    const { env } = context.options;
    const { flushWorkers, compactionWorkers } = env;
    this.#pool = env.pool(() => new WorkerPool({ fileSystem: spec, flushWorkers, compactionWorkers }));
    const control = new ControlBlock();
    const work = workerJob(job);
    const request = {
      type: 'run' as const,
      job: withOwnBytes(work),
      settings: this.#settings(job),
      components,
      directory: context.path,
      control: control.buffer,
      bytesPerSecond: 0,
      directReads: this.#access.openingOf(job.family).directReads,
    };
    this.#inWorkers.set(control, job);
    this.applyCancellations();
    try {
      for (let count = fileNumbersFor(work); ; count *= MORE_NUMBERS) {
        const fileNumbers = Array.from({ length: count }, () => this.#versions.newFileNumber());
        const result = yield* this.#tryInWorker(this.#pool, { ...request, fileNumbers });
        if (result !== undefined) return result;
      }
    } finally {
      this.#inWorkers.delete(control);
    }
  }

  /** `undefined` when the job needs more file numbers. */
  *#tryInWorker(pool: WorkerPool, request: PoolRequest): Io<CompactionResult | undefined> {
    try {
      return yield* pool.run(request);
    } catch (error) {
      // A thread that died could not tidy up.
      yield* inPlace(this.removeOutputs(request.fileNumbers));
      if (error instanceof DBError && error.code === 'INCOMPLETE') return undefined;
      throw error;
    }
  }

  /** Removes tables of a failed job, those that are there; what cannot be removed the next open removes. */
  *removeOutputs(numbers: readonly number[]): Io<void> {
    const { fs, path, logger } = this.#versions.context;
    const outputs = new Set(numbers.map(tableFileName));
    try {
      const names = yield* listDirectory(fs, path);
      for (const name of names) if (outputs.has(name)) yield* unlinkIfPresent(fs, `${path}/${name}`);
    } catch (error) {
      logger.warn(`Cannot remove outputs of a failed job: ${(error as Error).message}`);
    }
  }

  /** Files and time for work on this thread. */
  localIo(family: ColumnFamilyState, isCancelled: () => boolean): LocalCompactionIo {
    return new LocalCompactionIo({
      context: this.#versions.context,
      versions: this.#versions,
      tables: this.#access.tables,
      opening: this.#access.openingOf(family),
      isCancelled,
    });
  }

  #runHere(job: Job): Io<CompactionResult> {
    const { family, work } = job;
    const io = this.localIo(family, job.isCancelled);
    const settings = this.#settings(job);
    const components = componentsOf(family, work.kind === 'compaction' ? work.compaction : undefined);
    const plan = workerJob(job);
    return inPlace(
      plan.kind === 'compaction'
        ? runCompaction(io, plan.compaction, settings, components)
        : runFlush(io, plan.plan, settings, components),
    );
  }

  #settings(job: Job): JobSettings {
    const { family, work } = job;
    const { options } = family;
    const flush = work.kind === 'flush';
    return {
      familyId: family.id,
      familyName: family.name,
      tableOptions: flush ? flushTableOptions(options) : compactionTableOptions(options, work.compaction),
      snapshots: job.snapshots,
      nowSeconds: this.#versions.context.nowSeconds(),
      dbId: this.#identity.dbId,
      dbSessionId: this.#identity.sessionId,
      dbHostId: this.#identity.hostId,
      // RocksDB's default (`level_compaction_dynamic_file_size`).
      dynamicFileSize: !flush && options.compactionStyle === 'level',
      sliceMs: SLICE_MS,
    };
  }
}

function workerJob({ work }: Job): WorkerJob {
  if (work.kind === 'compaction') return work;
  return { kind: 'flush', plan: { memtables: work.memtables, pathId: 0, oldestKeyTime: work.oldestKeyTime } };
}

/** Bytes that go in. */
function sizeOf({ family, work }: Job): number {
  if (work.kind === 'compaction') return inputBytes(work.compaction);
  return family.immutables.reduce((sum, memtable) => sum + memtable.bytes, 0);
}

/** The live components of a family's job on this thread. */
function componentsOf(family: ColumnFamilyState, compaction: Compaction | undefined): JobComponents {
  return {
    comparator: family.comparator,
    comparatorId: family.comparatorId,
    mergeOperator: family.mergeOperator,
    compactionFilter: compaction === undefined ? undefined : filterOf(family, compaction),
    prefixExtractor: family.prefixExtractor,
  };
}

function filterOf(family: ColumnFamilyState, compaction: Compaction): CompactionFilter | undefined {
  const { compactionFilter, compactionFilterFactory } = family.options;
  if (compactionFilter !== undefined) return compactionFilter.value;
  return compactionFilterFactory?.value.createFilter({
    isFullCompaction: compaction.bottommost,
    isManualCompaction: compaction.manual,
  });
}
