/**
 * Carries a compaction or a flush out: merges the inputs through the dropping rules into new tables. Written once for
 * both manners (`format/base/io.ts`): on the opening thread it is driven asynchronously and rests every few milliseconds,
 * in a worker it is driven synchronously. It changes nothing but its own output files; the caller installs the result,
 * or, after a failure, finds nothing left to clean up.
 */
import { DBError } from '../format/base/db-error.ts';
import type { Io } from '../format/base/io.ts';
import { CompactionStatus } from '../format/kernel/abi/compaction-iterator.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import type { TableOptions } from '../format/sst/table-options.ts';
import { type Compaction, inputBytes, inputFiles, startLevel } from './compaction.ts';
import { CompactionInputs, type JobSources } from './compaction-inputs.ts';
import type { CompactionIo } from './compaction-io.ts';
import { CompactionIterator, type CompactionIteratorOptions } from './compaction-iterator.ts';
import type { CompactionResult } from './compaction-result.ts';
import type { JobComponents, JobSettings } from './job-settings.ts';
import { OutputTables } from './output-tables.ts';
import { neededTombstones } from './output-tombstones.ts';

/** Entries between two looks at the clock when nothing else interrupts: well below a slice even when all are dropped. */
const SLICE_RECORDS = 2048;

/** A flush of immutable memtables, newest first, into one file of level 0. */
export interface FlushPlan {
  /** Kernel addresses. They must not change or be freed while the job runs. */
  readonly memtables: readonly number[];
  readonly pathId: number;
  /** Unix seconds of the oldest write in the memtables, 0 unknown. */
  readonly oldestKeyTime: number;
}

/** What tells the two kinds of job apart once they run. */
interface JobShape {
  readonly sources: JobSources;
  readonly tableOptions: TableOptions;
  readonly pathId: number;
  readonly oldestAncestorTime: number;
  readonly oldestKeyTime: number;
  readonly bytesRead: number;
  readonly inputFiles: number;
  readonly rules: Pick<
    CompactionIteratorOptions,
    | 'bottommost'
    | 'deeperRanges'
    | 'grandparents'
    | 'targetFileSize'
    | 'maxCompactionBytes'
    | 'startLevel'
    | 'filter'
    | 'dynamicFileSize'
    | 'end'
  >;
}

/**
 * Runs a compaction of kind `merge`. Errors: whatever reading and writing give, `CORRUPTION` for damaged inputs,
 * `COMPACTION_FAILED` from the user's filter, `ABORTED` when cancelled; outputs are removed first.
 */
export function runCompaction(
  io: CompactionIo,
  compaction: Compaction,
  settings: JobSettings,
  components: JobComponents,
): Io<CompactionResult> {
  const files = inputFiles(compaction);
  const { compression, compressionOptions } = compaction;
  return runJob(io, settings, components, {
    sources: { kind: 'tables', inputs: compaction.inputs, bounds: compaction.bounds },
    tableOptions: { ...settings.tableOptions, compression, compressionOptions },
    pathId: compaction.outputPathId,
    oldestAncestorTime: oldestAncestor(files),
    oldestKeyTime: 0,
    bytesRead: inputBytes(compaction),
    inputFiles: files.length,
    rules: {
      bottommost: compaction.bottommost,
      deeperRanges: compaction.deeperRanges,
      grandparents: compaction.grandparents,
      targetFileSize: compaction.targetFileSize,
      maxCompactionBytes: compaction.maxCompactionBytes,
      startLevel: startLevel(compaction),
      filter: components.compactionFilter,
      dynamicFileSize: settings.dynamicFileSize && !compaction.bottommost,
      end: compaction.bounds?.end,
    },
  });
}

/**
 * Writes memtables to one table of level 0, or none if nothing is in them. Hidden versions are dropped, tombstones stay:
 * nothing is known of older data. Errors as `runCompaction`.
 */
export function runFlush(
  io: CompactionIo,
  plan: FlushPlan,
  settings: JobSettings,
  components: JobComponents,
): Io<CompactionResult> {
  return runJob(io, settings, components, {
    sources: { kind: 'memtables', memtables: plan.memtables },
    tableOptions: settings.tableOptions,
    pathId: plan.pathId,
    oldestAncestorTime: settings.nowSeconds,
    oldestKeyTime: plan.oldestKeyTime,
    bytesRead: 0,
    inputFiles: 0,
    rules: {
      bottommost: false,
      deeperRanges: undefined,
      grandparents: [],
      targetFileSize: Number.POSITIVE_INFINITY,
      maxCompactionBytes: Number.POSITIVE_INFINITY,
      startLevel: 0,
      filter: undefined,
      dynamicFileSize: false,
      end: undefined,
    },
  });
}

function oldestAncestor(files: readonly FileMetadata[]): number {
  const known = files.map((file) => file.oldestAncestorTime).filter((time) => time > 0);
  return known.length > 0 ? Math.min(...known) : 0;
}

function* runJob(
  io: CompactionIo,
  settings: JobSettings,
  components: JobComponents,
  shape: JobShape,
): Io<CompactionResult> {
  const startMicros = io.nowMicros();
  const { comparator, comparatorId, mergeOperator } = components;
  const inputs = yield* CompactionInputs.open(io, comparator, comparatorId, shape.sources);
  let iterator: CompactionIterator | undefined;
  let outputs: OutputTables | undefined;
  try {
    const { snapshots } = settings;
    const { fragments } = inputs.tombstones;
    const { deeperRanges } = shape.rules;
    outputs = new OutputTables({
      io,
      settings,
      components,
      tableOptions: shape.tableOptions,
      tombstones: neededTombstones(fragments, { comparator, snapshots, deeperRanges }),
      pathId: shape.pathId,
      targetFileSize: shape.rules.targetFileSize,
      oldestAncestorTime: shape.oldestAncestorTime,
      oldestKeyTime: shape.oldestKeyTime,
    });
    iterator = new CompactionIterator({
      ...shape.rules,
      merge: inputs.merge,
      comparatorId,
      snapshots,
      fragments,
      sliceRecords: SLICE_RECORDS,
      mergeOperator,
    });
    yield* drain(io, settings.sliceMs * 1000, inputs, iterator, outputs, shape.bytesRead);
    yield* outputs.finish();
    io.checkCancelled();
    return {
      outputs: outputs.files,
      facts: outputs.facts,
      stats: {
        ...iterator.counts,
        micros: io.nowMicros() - startMicros,
        bytesRead: shape.bytesRead,
        bytesWritten: outputs.bytesWritten,
        inputFiles: shape.inputFiles,
        outputFiles: outputs.files.length,
        inputTombstones: inputs.tombstoneCount,
        outputTombstones: outputs.outputTombstones,
      },
    };
  } catch (error) {
    if (outputs) yield* outputs.abandon();
    throw error;
  } finally {
    iterator?.close();
    inputs.close();
  }
}

/** Runs the iterator to its end, doing what it asks for in between. */
function* drain(
  io: CompactionIo,
  sliceMicros: number,
  inputs: CompactionInputs,
  iterator: CompactionIterator,
  outputs: OutputTables,
  bytesRead: number,
): Io<void> {
  let restAt = io.nowMicros() + sliceMicros;
  for (;;) {
    const status = iterator.run();
    switch (status) {
      case CompactionStatus.end:
        io.progress(bytesRead, outputs.bytesWritten);
        return;
      case CompactionStatus.needRefill:
        yield* inputs.refill();
        break;
      case CompactionStatus.blockFull:
        yield* outputs.flushBlock();
        iterator.fileBytes = outputs.fileBytes;
        break;
      case CompactionStatus.cut:
        yield* outputs.cut(iterator.nextUserKey());
        iterator.writer = outputs.kernelWriter;
        iterator.fileBytes = 0;
        break;
      case CompactionStatus.pause:
        break;
      case CompactionStatus.corrupt:
        throw inputs.corruptChild();
      default:
        throw new DBError('COMPACTION_FAILED', `the compaction iterator returned status ${status}`);
    }
    if (io.nowMicros() < restAt) continue;
    io.checkCancelled();
    io.progress(iterator.inputBytes, outputs.bytesWritten + outputs.fileBytes);
    yield* io.rest();
    restAt = io.nowMicros() + sliceMicros;
  }
}
