/** What is told about a compaction: to LOG, to listeners, to statistics. */
import {
  type Compaction,
  type CompactionReason,
  describeCompaction,
  inputFiles,
  startLevel,
} from '../../compaction/compaction.ts';
import type { CompactionResult } from '../../compaction/compaction-result.ts';
import type { CompactionEvent } from '../monitoring/event-listener.ts';
import type { DbContext } from '../options/db-context.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';

/** Reasons whose bytes have tickers of their own. */
const TICKER_PARTS: ReadonlyMap<CompactionReason, 'marked' | 'ttl'> = new Map([
  ['FilesMarkedForCompaction', 'marked'],
  ['Ttl', 'ttl'],
]);

/** One compaction, from its start to its end. */
export class CompactionReport {
  readonly #context: DbContext;
  readonly #family: ColumnFamilyState;
  readonly #compaction: Compaction;
  readonly #subcompactions: number;
  readonly #jobId: number;
  readonly #startMicros: number;

  /** Tells of the start. `subcompactions`: how many parts it runs in, 1 when it is not divided. */
  constructor(
    context: DbContext,
    family: ColumnFamilyState,
    compaction: Compaction,
    subcompactions: number,
    jobId: number,
  ) {
    this.#context = context;
    this.#family = family;
    this.#compaction = compaction;
    this.#subcompactions = subcompactions;
    this.#jobId = jobId;
    this.#startMicros = context.clock.monotonicMicros();
    const divided = subcompactions > 1 ? `, ${subcompactions} subcompactions` : '';
    context.logger.info(
      `[${family.name}] [JOB ${jobId}] Compacting ${describeCompaction(compaction)} (${compaction.reason})${divided}`,
    );
    context.logEvent('compaction_started', {
      job: jobId,
      cf_name: family.name,
      compaction_reason: compaction.reason,
      ...Object.fromEntries(compaction.inputs.map(({ level, files }) => [`files_L${level}`, numbersOf(files)])),
      input_data_size: inputBytes(compaction),
      num_subcompactions: subcompactions,
    });
    if (subcompactions > 1) context.statistics?.record('rocksdb.num.subcompactions.scheduled', subcompactions);
    context.notify('onCompactionBegin', this.#event(undefined));
  }

  /** Tells of the end, after the install. */
  finish(result: CompactionResult | undefined): void {
    const event = this.#event(result);
    this.#count(event, result);
    for (const file of result?.outputs ?? []) {
      this.#context.notify('onTableFileCreated', {
        columnFamily: this.#family.name,
        fileNumber: file.number,
        sizeBytes: file.sizeBytes,
      });
    }
    const { subcompactions, ...details } = event;
    this.#context.logEvent('compaction_finished', {
      job: this.#jobId,
      cf_name: this.#family.name,
      ...details,
      num_subcompactions: subcompactions,
      lsm_state: this.#family.version.levels.map((level) => level.length),
    });
    this.#context.notify('onCompactionCompleted', event);
  }

  #event(result: CompactionResult | undefined): CompactionEvent {
    const compaction = this.#compaction;
    return {
      columnFamily: this.#family.name,
      jobId: this.#jobId,
      reason: compaction.reason,
      inputLevel: startLevel(compaction),
      outputLevel: compaction.outputLevel,
      inputFiles: numbersOf(inputFiles(compaction)),
      outputFiles: numbersOf(result?.outputs ?? []),
      bytesRead: result?.stats.bytesRead ?? 0,
      bytesReadOutputLevel: result === undefined ? 0 : inputBytes(compaction, compaction.outputLevel),
      bytesWritten: result?.stats.bytesWritten ?? 0,
      bytesMoved: compaction.kind === 'trivialMove' ? inputBytes(compaction) : 0,
      inputRecords: result?.stats.inputRecords ?? 0,
      outputRecords: result?.stats.outputRecords ?? 0,
      micros: Math.round(this.#context.clock.monotonicMicros() - this.#startMicros),
      trivialMove: compaction.kind === 'trivialMove',
      subcompactions: this.#subcompactions,
    };
  }

  #count(event: CompactionEvent, result: CompactionResult | undefined): void {
    const { statistics } = this.#context;
    if (statistics === undefined) return;
    statistics.count('rocksdb.compact.read.bytes', event.bytesRead);
    statistics.count('rocksdb.compact.write.bytes', event.bytesWritten);
    if (event.trivialMove) statistics.count('rocksdb.compaction.trivial.move');
    const part = TICKER_PARTS.get(this.#compaction.reason);
    if (part !== undefined) {
      statistics.count(`rocksdb.compact.read.${part}.bytes`, event.bytesRead);
      statistics.count(`rocksdb.compact.write.${part}.bytes`, event.bytesWritten);
    }
    statistics.record('rocksdb.compaction.times.micros', event.micros);
    if (result === undefined) return;
    const { stats, facts } = result;
    statistics.count('rocksdb.compaction.key.drop.new', stats.droppedHidden);
    statistics.count('rocksdb.compaction.key.drop.obsolete', stats.droppedObsolete);
    statistics.count('rocksdb.compaction.key.drop.range_del', stats.droppedRangeDeleted);
    statistics.count('rocksdb.compaction.key.drop.user', stats.droppedByFilter);
    statistics.count('rocksdb.number.merge.failures', stats.mergeFailures);
    statistics.record('rocksdb.numfiles.in.singlecompaction', event.inputFiles.length);
    for (const { syncMicros } of facts) statistics.record('rocksdb.compaction.outfile.sync.micros', syncMicros);
  }
}

function numbersOf(files: readonly { number: number }[]): number[] {
  return files.map(({ number }) => number);
}

/** Bytes of a compaction's input files, of one level where `level` is given. Level 0 counts as above itself, as in RocksDB. */
function inputBytes(compaction: Compaction, level?: number): number {
  let sum = 0;
  for (const input of compaction.inputs) {
    if (level !== undefined && (input.level !== level || level === 0)) continue;
    for (const { sizeBytes } of input.files) sum += sizeBytes;
  }
  return sum;
}
