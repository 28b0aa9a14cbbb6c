/**
 * Runs one flush or compaction and hands its result back: in a worker thread where the file system and the family's
 * components can travel there, else on this thread in slices. Either way it is one operation (`Io`) whose steps may be
 * repeated, so that a blocking writer can finish it (`IoTask.finishSync`).
 */
import type { Compaction } from '../../compaction/compaction.ts';
import { runCompaction, runFlush } from '../../compaction/compaction-job.ts';
import type { CompactionResult } from '../../compaction/compaction-result.ts';
import type { JobComponents, JobSettings } from '../../compaction/job-settings.ts';
import type { CompactionFilter } from '../../format/base/compaction-filter.ts';
import { type Io, inPlace } from '../../format/base/io.ts';
import type { TableAccess } from '../read/point-lookup.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { VersionSet } from '../version/version-set.ts';
import { LocalCompactionIo } from './local-compaction-io.ts';

/** Milliseconds of work on the opening thread between two turns of the event loop. */
const SLICE_MS = 4;

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

  constructor(versions: VersionSet, access: TableAccess, identity: DbIdentity) {
    this.#versions = versions;
    this.#access = access;
    this.#identity = identity;
  }

  /** Carries the job out. Its outputs are complete and synced, and nothing refers to them yet. */
  run(job: Job): Io<CompactionResult> {
    return this.#runHere(job);
  }

  #runHere(job: Job): Io<CompactionResult> {
    const { family, work } = job;
    const io = new LocalCompactionIo({
      context: this.#versions.context,
      versions: this.#versions,
      tables: this.#access.tables,
      opening: this.#access.openingOf(family),
      isCancelled: job.isCancelled,
    });
    const settings = this.#settings(job);
    const components = componentsOf(family, work.kind === 'compaction' ? work.compaction : undefined);
    if (work.kind === 'compaction') return inPlace(runCompaction(io, work.compaction, settings, components));
    const plan = { memtables: work.memtables, pathId: 0, oldestKeyTime: work.oldestKeyTime };
    return inPlace(runFlush(io, plan, settings, components));
  }

  #settings(job: Job): JobSettings {
    const { family } = job;
    const { options } = family;
    const flush = job.work.kind === 'flush';
    return {
      familyId: family.id,
      familyName: family.name,
      tableOptions: flush ? { ...options.table, compression: flushCompression(family) } : options.table,
      snapshots: job.snapshots,
      nowSeconds: this.#versions.context.nowSeconds(),
      dbId: this.#identity.dbId,
      dbSessionId: this.#identity.sessionId,
      dbHostId: this.#identity.hostId,
      dynamicFileSize: false,
      sliceMs: SLICE_MS,
    };
  }
}

/** Level 0's codec. */
function flushCompression(family: ColumnFamilyState): ColumnFamilyState['options']['compression'] {
  return family.options.compressionPerLevel[0] ?? family.options.compression;
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
