/** Files of a compaction job in memory, with counts of what the job did to them and faults on demand. */
import { type Io, noIo, runSync } from '../../format/base/io.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { defaultTableOptions } from '../../format/sst/table-options.ts';
import { TableReader } from '../../format/sst/table-reader.ts';
import type { CompactionIo, InputTable, OutputFile } from '../../compaction/compaction-io.ts';
import type { JobComponents, JobSettings } from '../../compaction/job-settings.ts';
import { bytesFile, GrowingFile } from '../format/base/byte-files.ts';
import { type KeySpace, plainKeys } from './key-space.ts';

/** An output file that remembers whether it was synced and closed. */
class OutputBytes extends GrowingFile {
  synced = false;
  closed = false;
  readonly onAppend: () => void;

  constructor(onAppend: () => void) {
    super();
    this.onAppend = onAppend;
  }

  override appendSync(parts: readonly Uint8Array[]): void {
    this.onAppend();
    super.appendSync(parts);
  }

  override syncSync(): void {
    this.synced = true;
  }

  override async sync(): Promise<void> {
    this.syncSync();
  }

  override closeSync(): void {
    this.closed = true;
  }

  override async close(): Promise<void> {
    this.closeSync();
  }
}

/** Tables by number. */
export class MemoryCompactionIo implements CompactionIo {
  readonly files = new Map<number, OutputBytes>();
  nextNumber = 10;
  openInputs = 0;
  rests = 0;
  throttled = 0;
  /** Appends until one fails; Infinity never. */
  appendsLeft = Number.POSITIVE_INFINITY;
  cancelled: Error | undefined;
  #micros = 0;
  readonly #keys: KeySpace;

  constructor(keys: KeySpace = plainKeys) {
    this.#keys = keys;
  }

  *openInput(file: FileMetadata): Io<InputTable> {
    const reader = yield* this.openTable(file);
    this.openInputs++;
    return {
      reader,
      release: () => {
        this.openInputs--;
        reader.close();
      },
    };
  }

  openTable(file: FileMetadata): Io<TableReader> {
    const bytes = this.files.get(file.number)!.bytes;
    return TableReader.open({
      file: bytesFile(bytes, `${file.number}.sst`),
      fileSize: file.sizeBytes,
      fileNumber: file.number,
      comparator: { id: this.#keys.comparatorId, name: this.#keys.comparator.name },
      verifyChecksums: true,
    });
  }

  *createOutput(): Io<OutputFile> {
    const number = this.nextNumber++;
    const file = new OutputBytes(() => {
      if (--this.appendsLeft < 0) throw new Error('no space');
    });
    this.files.set(number, file);
    return { number, file };
  }

  removeOutput(number: number): Io<void> {
    this.files.delete(number);
    return noIo();
  }

  nowMicros(): number {
    this.#micros += 100;
    return this.#micros;
  }

  throttle(bytes: number): Io<void> {
    this.throttled += bytes;
    return noIo();
  }

  rest(): Io<void> {
    this.rests++;
    return noIo();
  }

  checkCancelled(): void {
    if (this.cancelled) throw this.cancelled;
  }

  progress(): void {}
}

/** Components for these keys; the rest as given. */
export function componentsWith(given: Partial<JobComponents> = {}, keys: KeySpace = plainKeys): JobComponents {
  return {
    comparator: keys.comparator,
    comparatorId: keys.comparatorId,
    mergeOperator: undefined,
    compactionFilter: undefined,
    prefixExtractor: undefined,
    ...given,
  };
}

/** Settings with small blocks, so that small histories fill many; the rest as given. */
export function settingsWith(given: Partial<JobSettings> = {}): JobSettings {
  return {
    familyId: 0,
    familyName: 'default',
    tableOptions: { ...defaultTableOptions, blockSize: 256, compression: 'none' },
    snapshots: [],
    nowSeconds: 1_700_000_000,
    dbId: 'test-db',
    dbSessionId: 'TESTSESSION',
    dbHostId: 'host',
    dynamicFileSize: true,
    sliceMs: 4,
    ...given,
  };
}

/** An entry of a table, decoded. */
export interface TableEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** All point entries of a table in order. */
export function readTable(io: MemoryCompactionIo, file: FileMetadata): TableEntry[] {
  const kernel = getKernel();
  const reader = runSync(io.openTable(file));
  const iterator = reader.newIterator();
  const entries: TableEntry[] = [];
  runSync(iterator.seekToFirst());
  const word = (offset: number) => kernel.u32[(iterator.cursor + offset) >>> 2]!;
  while (word(4) !== 0) {
    entries.push({ key: kernel.bytes(word(8), word(12)).slice(), value: kernel.bytes(word(16), word(20)).slice() });
    kernel.x.cursorNext(iterator.cursor);
    while (word(4) === 0) {
      const outcome = iterator.tryRefill(1);
      if (outcome === 0) break;
      if (outcome === -1) runSync(iterator.load());
    }
  }
  iterator.close();
  reader.close();
  return entries;
}
