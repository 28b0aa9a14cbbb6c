/**
 * FIFO compaction: everything stays in level 0, and the oldest files are deleted when they have expired or when the
 * family is over its size. On demand small files are merged so that there are fewer to look into.
 */
import type { Comparator } from '../format/base/comparator.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import type { Compaction, CompactionKind, CompactionReason } from './compaction.ts';
import type { CompactionPickerOptions } from './compaction-options.ts';
import { pickIntraLevel0 } from './intra-level0.ts';
import { filesOf, totalSize } from './levels-view.ts';
import type { PickContext } from './pick-context.ts';
import { planCompaction } from './plan-compaction.ts';
import { RunningCompactions } from './running-compactions.ts';

/** Picks by RocksDB's FIFO rules. */
export class FifoPicker {
  readonly #options: CompactionPickerOptions;
  readonly #comparator: Comparator;

  constructor(options: CompactionPickerOptions, comparator: Comparator) {
    this.#options = options;
    this.#comparator = comparator;
  }

  needsCompaction(context: PickContext): boolean {
    return this.pick(context) !== undefined;
  }

  pick(context: PickContext): Compaction | undefined {
    // Two at once could delete more than the limit asks for.
    if (context.running.length > 0) return undefined;
    const files = filesOf(context.view, 0);
    const expired = this.#expired(files, context.nowSeconds);
    if (expired.length > 0) return this.#plan(context, 'deletion', 'FIFOTtl', expired);
    const excess = this.#overSize(files);
    if (excess.length > 0) return this.#plan(context, 'deletion', 'FIFOMaxSize', excess);
    if (!this.#options.fifo.allowCompaction) return undefined;
    const running = new RunningCompactions(this.#comparator, []);
    const scope = { view: context.view, comparator: this.#comparator, running, options: this.#options };
    const intra = pickIntraLevel0(scope);
    return intra && this.#plan(context, 'merge', 'FIFOReduceNumFiles', intra.files);
  }

  /** The oldest files whose age is known and beyond the ttl, up to the first that is not. */
  #expired(files: readonly FileMetadata[], nowSeconds: number): FileMetadata[] {
    const { ttlSeconds } = this.#options;
    if (ttlSeconds <= 0) return [];
    return oldestWhile(files, (file) => {
      const created = file.oldestAncestorTime || file.fileCreationTime;
      return created > 0 && created < nowSeconds - ttlSeconds;
    });
  }

  #overSize(files: readonly FileMetadata[]): FileMetadata[] {
    let bytes = totalSize(files);
    return oldestWhile(files, (file) => {
      const over = bytes > this.#options.fifo.maxTableFilesSize;
      bytes -= file.sizeBytes;
      return over;
    });
  }

  #plan(
    context: PickContext,
    kind: CompactionKind,
    reason: CompactionReason,
    files: readonly FileMetadata[],
  ): Compaction {
    const inputs = [{ level: 0, files }];
    const choice = { kind, reason, inputs, outputLevel: 0, baseLevel: 1, score: 0 };
    return planCompaction(choice, context, this.#options, this.#comparator);
  }
}

/** Files from the oldest on for which `test` holds, in the level's order (newest first). */
function oldestWhile(files: readonly FileMetadata[], test: (file: FileMetadata) => boolean): FileMetadata[] {
  let first = files.length;
  while (first > 0 && test(files[first - 1]!)) first--;
  return files.slice(first);
}
