/** Walks the entries of one table as they are stored: every version of every key, deletions included. */
import { MAX_SEQUENCE, makeInternalKey, TYPE_FOR_SEEK } from '../../format/base/internal-key.ts';
import { runSync } from '../../format/base/io.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { CursorHead } from '../../format/sst/metadata-block.ts';
import type { TableIterator } from '../../format/sst/table-iterator.ts';
import type { TableReader } from '../../format/sst/table-reader.ts';

/** Bytes a read: the walk goes through the whole file. */
const READ_SIZE = 1 << 20;

/** A position in a table, moving forward. It reads in place: a tool has nothing else to do meanwhile. */
export class TableEntries implements Disposable {
  readonly #source: TableIterator;

  /** `readSize`: bytes a read. */
  constructor(reader: TableReader, readSize = READ_SIZE) {
    this.#source = reader.newIterator({ sequentialReadSize: readSize });
  }

  /** Goes to the first entry whose user key is not before `userKey`, without one to the first of all. */
  seek(userKey: Uint8Array | undefined): void {
    if (userKey === undefined) {
      runSync(this.#source.seekToFirst());
      return;
    }
    const kernel = getKernel();
    const target = makeInternalKey(userKey, MAX_SEQUENCE, TYPE_FOR_SEEK);
    const at = kernel.malloc(target.length);
    try {
      kernel.copyIn(target, at);
      runSync(this.#source.seek(at, target.length));
    } finally {
      kernel.free(at);
    }
  }

  get valid(): boolean {
    return getKernel().u32[(this.#source.cursor + CursorHead.valid) >>> 2] !== 0;
  }

  /** The internal key: a view, good until the next move. REQUIRES `valid`. */
  get key(): Uint8Array {
    return this.#slice(CursorHead.key, CursorHead.keySize);
  }

  /** The value: a view, good until the next move. REQUIRES `valid`. */
  get value(): Uint8Array {
    return this.#slice(CursorHead.value, CursorHead.valueSize);
  }

  /** REQUIRES `valid`. CORRUPTION when the next block is damaged. */
  next(): void {
    getKernel().x.blockCursorNext(this.#source.cursor);
    if (this.valid) return;
    while (this.#source.tryRefill(1) === -1) runSync(this.#source.load());
  }

  [Symbol.dispose](): void {
    this.#source.close();
  }

  #slice(at: number, size: number): Uint8Array {
    const { u32 } = getKernel();
    const { cursor } = this.#source;
    return getKernel().bytes(u32[(cursor + at) >>> 2]!, u32[(cursor + size) >>> 2]!);
  }
}
