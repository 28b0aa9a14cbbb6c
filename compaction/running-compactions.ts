/** What the compactions that run now forbid a new one: their input files, and the key ranges their outputs will fill. */
import type { Comparator } from '../format/base/comparator.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { type Compaction, inputFiles, type UserKeyRange } from './compaction.ts';
import { isInLevel, type LevelsView, rangeOfFiles, rangesOverlap, sizeOfLevel } from './levels-view.ts';

/** An index over the running compactions of one column family. */
export class RunningCompactions {
  readonly #compactions: readonly Compaction[];
  readonly #busyFiles = new Set<number>();
  readonly #comparator: Comparator;

  constructor(comparator: Comparator, compactions: readonly Compaction[]) {
    this.#comparator = comparator;
    this.#compactions = compactions;
    for (const compaction of compactions) {
      for (const file of inputFiles(compaction)) this.#busyFiles.add(file.number);
    }
  }

  /** Whether a file is an input of a running compaction. */
  isBusy(file: FileMetadata): boolean {
    return this.#busyFiles.has(file.number);
  }

  /** Whether any of `files` is an input of a running compaction. */
  anyBusy(files: readonly FileMetadata[]): boolean {
    return files.some((file) => this.#busyFiles.has(file.number));
  }

  /** Whether a compaction out of level 0 runs; two at once could reorder versions of a key. */
  get level0Busy(): boolean {
    return this.#compactions.some((compaction) => compaction.inputs[0]!.level === 0);
  }

  /** Whether none runs at all. */
  get idle(): boolean {
    return this.#compactions.length === 0;
  }

  /** Whether a running compaction will put files into `range` of `level`. */
  willWriteInto(level: number, range: UserKeyRange): boolean {
    for (const compaction of this.#compactions) {
      if (compaction.outputLevel !== level || compaction.kind === 'deletion') continue;
      const theirs = rangeOfFiles(this.#comparator, inputFiles(compaction));
      if (theirs && rangesOverlap(this.#comparator, theirs, range)) return true;
    }
    return false;
  }

  /** Bytes of a level's files that no running compaction will take away. */
  idleBytes(view: LevelsView, level: number): number {
    let bytes = sizeOfLevel(view, level);
    for (const { inputs } of this.#compactions) {
      for (const input of inputs) {
        if (input.level !== level) continue;
        // One that is just being installed is not in the view any more.
        for (const file of input.files) if (isInLevel(view, this.#comparator, level, file)) bytes -= file.sizeBytes;
      }
    }
    return bytes;
  }
}
