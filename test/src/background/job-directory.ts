/** Jobs over a real directory: made by hand, run by a pool or on this thread, and read back. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import type { Compaction } from '../../../compaction/compaction.ts';
import { runCompaction, runFlush } from '../../../compaction/compaction-job.ts';
import type { CompactionResult } from '../../../compaction/compaction-result.ts';
import type { JobComponents } from '../../../compaction/job-settings.ts';
import { ControlBlock, type TravellingComponents, type WorkerJob } from '../../../compaction/worker/protocol.ts';
import { bytewiseComparator } from '../../../format/base/comparator.ts';
import { ValueType } from '../../../format/base/internal-key.ts';
import { runSync } from '../../../format/base/io.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../../format/manifest/file-metadata.ts';
import { WorkerCompactionIo } from '../../../src/background/worker-compaction-io.ts';
import type { PoolRequest } from '../../../src/background/worker-pool.ts';
import { SystemClock } from '../../../src/env/clock.ts';
import { NodeFileSystem } from '../../../src/env/node-file-system.ts';
import { makeMemtable, type Version } from '../../compaction/history.ts';
import { settingsWith } from '../../compaction/memory-compaction-io.ts';

/** The components of a job that has only the default comparator. */
export const plainComponents: TravellingComponents = {
  comparator: { kind: 'builtin', name: bytewiseComparator.name },
  mergeOperator: undefined,
  compactionFilter: undefined,
  compactionFilterFactory: undefined,
  prefixExtractor: undefined,
};

/** A component of `test/support/worker-modules.mjs`. */
export function fromModule(name: string, options: unknown = undefined): TravellingComponents['comparator'] {
  const module = new URL('../../support/worker-modules.mjs', import.meta.url).href;
  return { kind: 'module', module, export: name, options };
}

/** `count` puts with sequences from `first`. */
export function puts(count: number, first = 1, value = 'value'.repeat(16)): Version[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `key${String(i).padStart(6, '0')}`,
    sequence: first + i,
    type: ValueType.value,
    value: `${value}${first + i}`,
  }));
}

/** Tables in one directory. */
export class JobDirectory {
  readonly path: string;
  readonly #memtables: number[] = [];
  #nextNumber = 10;

  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { recursive: true });
  }

  /** Names of the files that are there. */
  get names(): string[] {
    return readdirSync(this.path).sort();
  }

  bytes(file: FileMetadata): Uint8Array {
    return readFileSync(`${this.path}/${String(file.number).padStart(6, '0')}.sst`);
  }

  /** A flush of a new memtable, which lives until `free`. */
  flush(versions: readonly Version[], components = plainComponents): PoolRequest {
    const memtable = makeMemtable(versions, []);
    this.#memtables.push(memtable);
    return this.#request(
      { kind: 'flush', plan: { memtables: [memtable], pathId: 0, oldestKeyTime: 0 } },
      components,
      1,
    );
  }

  /** A compaction of files of level 0, newest first, into level 1. */
  compaction(
    files: readonly FileMetadata[],
    given: Partial<PoolRequest> = {},
    components = plainComponents,
    numbers = 50,
  ): PoolRequest {
    const compaction: Compaction = {
      familyId: 0,
      familyName: 'default',
      kind: 'merge',
      reason: 'ManualCompaction',
      inputs: [{ level: 0, files }],
      outputLevel: 1,
      outputPathId: 0,
      targetFileSize: 200_000,
      maxCompactionBytes: Number.POSITIVE_INFINITY,
      compression: 'none',
      compressionOptions: {},
      grandparents: [],
      bottommost: true,
      deeperRanges: [],
      score: 0,
      manual: true,
    };
    return { ...this.#request({ kind: 'compaction', compaction }, components, numbers), ...given };
  }

  /** Two tables of level 0 with the same `count` keys, newest first, made on this thread. */
  overlapping(count: number): FileMetadata[] {
    const older = runHere(this.flush(puts(count))).outputs;
    const newer = runHere(this.flush(puts(count, count + 1))).outputs;
    return [...newer, ...older];
  }

  free(): void {
    for (const memtable of this.#memtables.splice(0)) getKernel().x.memtableFree(memtable);
  }

  #request(job: WorkerJob, components: TravellingComponents, numbers: number): PoolRequest {
    const fileNumbers = Array.from({ length: numbers }, () => this.#nextNumber++);
    return {
      type: 'run',
      job,
      settings: settingsWith(),
      components,
      directory: this.path,
      fileNumbers,
      control: new ControlBlock().buffer,
      bytesPerSecond: 0,
      directReads: false,
    };
  }
}

/** The same job on this thread. */
export function runHere(request: PoolRequest, given: Partial<JobComponents> = {}): CompactionResult {
  const components: JobComponents = {
    comparator: bytewiseComparator,
    comparatorId: 0,
    mergeOperator: undefined,
    compactionFilter: undefined,
    prefixExtractor: undefined,
    ...given,
  };
  const io = new WorkerCompactionIo({
    fs: new NodeFileSystem(),
    clock: new SystemClock(),
    message: { ...request, id: 0 },
    opening: {
      comparator: { id: 0, name: bytewiseComparator.name },
      cache: undefined,
      prefixExtractor: undefined,
      directReads: false,
      stats: statistics(),
    },
    control: new ControlBlock(request.control),
    onRest: () => {},
  });
  const { job, settings } = request;
  return job.kind === 'flush'
    ? runSync(runFlush(io, job.plan, settings, components))
    : runSync(runCompaction(io, job.compaction, settings, components));
}

let counters = 0;
function statistics(): number {
  counters ||= getKernel().malloc(1024);
  return counters;
}

/** Waits until a job shows progress. */
export async function progressOf(request: PoolRequest): Promise<void> {
  const control = new ControlBlock(request.control);
  while (control.bytesRead === 0) await new Promise((resolve) => setTimeout(resolve, 2));
}
