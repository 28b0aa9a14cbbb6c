/**
 * Explanations of reads: the read is really made, by the code that makes all reads, and every memtable, table, filter and
 * block that it touched is written down. For finding out why a read is slow or what it sees.
 */
import { ValueType } from '../../format/base/internal-key.ts';
import { TableStatsField } from '../../format/kernel/abi/block-cache.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { tableFileName } from '../../format/manifest/file-name.ts';
import type { LookupTrace } from '../read/lookup-trace.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';
import type { Bytes, ReadOptions } from './read-options.ts';
import type { Reader } from './reader.ts';

/** A version of the key that the read met. */
export interface ExplainedVersion {
  type: 'value' | 'deletion' | 'singleDeletion' | 'merge' | 'other';
  sequence: number;
}

/** A memtable that was searched. */
export interface ExplainedMemtable {
  kind: 'active' | 'immutable';
  versions: ExplainedVersion[];
}

/** A table that was searched. */
export interface ExplainedFile {
  name: string;
  level: number;
  /** The file was not open yet. */
  opened: boolean;
  /** What its filter said: not there, perhaps, or nothing (no filter, or one without whole keys). */
  filter: 'excluded' | 'passed' | 'none';
  /** Data blocks found in the block cache, and those that were not. */
  blocksCached: number;
  blocksRead: number;
  /** Times the read had to wait for the file: blocks of data, index or filter. */
  reads: number;
  versions: ExplainedVersion[];
}

/** The way of one read, in the order it went. */
export interface ExplainedGet {
  found: boolean;
  /** Size of the value in bytes; 0 when there is none. */
  valueSize: number;
  /** The read saw writes up to this sequence. */
  sequence: number;
  memtables: ExplainedMemtable[];
  files: ExplainedFile[];
}

const TYPE_NAMES: ReadonlyMap<number, ExplainedVersion['type']> = new Map([
  [ValueType.value, 'value'],
  [ValueType.deletion, 'deletion'],
  [ValueType.singleDeletion, 'singleDeletion'],
  [ValueType.merge, 'merge'],
]);

const COUNTERS = ['filterUseful', 'filterPositive', 'dataBlockHits', 'dataBlockMisses'] as const;

/** Writes the way of a lookup down. */
class Recorder implements LookupTrace {
  readonly memtables: ExplainedMemtable[] = [];
  readonly files: ExplainedFile[] = [];
  readonly #engine: Engine;
  #versions: ExplainedVersion[] = [];
  #before: readonly number[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  memtable(index: number): void {
    this.#versions = [];
    this.memtables.push({ kind: index === 0 ? 'active' : 'immutable', versions: this.#versions });
  }

  enterTable(file: FileMetadata, level: number): void {
    this.#versions = [];
    this.files.push({
      name: tableFileName(file.number),
      level,
      opened: false,
      filter: 'none',
      blocksCached: 0,
      blocksRead: 0,
      reads: 0,
      versions: this.#versions,
    });
  }

  openTable(): void {
    this.#file.opened = true;
  }

  loadBlock(): void {
    this.#file.reads++;
  }

  beforeStep(): void {
    this.#before = this.#sample();
  }

  afterStep(): void {
    const after = this.#sample();
    const [excluded, passed, hits, misses] = after.map((count, i) => count - this.#before[i]!);
    const file = this.#file;
    if (excluded! > 0) file.filter = 'excluded';
    else if (passed! > 0) file.filter = 'passed';
    file.blocksCached += hits!;
    file.blocksRead += misses!;
  }

  version(type: number, sequence: number): void {
    this.#versions.push({ type: TYPE_NAMES.get(type) ?? 'other', sequence });
  }

  get #file(): ExplainedFile {
    return this.files.at(-1)!;
  }

  #sample(): number[] {
    const { caches, kernel } = this.#engine;
    return COUNTERS.map((name) => kernel.f64[(caches.stats + TableStatsField[name]) >>> 3]!);
  }
}

/** Reads `key` and tells how. */
export async function explainGet(
  engine: Engine,
  reader: Reader,
  family: ColumnFamilyState,
  key: Bytes,
  options: ReadOptions = {},
): Promise<ExplainedGet> {
  const recorder = new Recorder(engine);
  const sequence = options.snapshot?.sequence ?? engine.versions.lastSequence;
  const value = await reader.traced(family, key, options, recorder);
  return {
    found: value !== undefined,
    valueSize: value?.length ?? 0,
    sequence,
    memtables: recorder.memtables,
    files: recorder.files,
  };
}
