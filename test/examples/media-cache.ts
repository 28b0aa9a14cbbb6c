/**
 * A cache of media files in blocks, for ranged reads: a player asks for bytes 5,000,000 to 5,400,000 of a film, and only the
 * blocks of that range that are not here yet are fetched from the origin. FIFO compaction keeps the cache within its size
 * by dropping the oldest tables whole, which costs no rewriting.
 */
import { DB, WriteBatch } from '../../src/index.ts';
import { runAsProgram } from './run-as-program.ts';

/** Bytes of one cached block; the last one of a file is shorter. */
export const MEDIA_BLOCK_SIZE = 64 * 1024;
const NUMBER_SIZE = 4;

/** Where media come from. `end` is exclusive; less is returned only at the end of the file. */
export type Origin = (url: string, start: number, end: number) => Promise<Uint8Array>;

function keyOf(url: string, block: number): Buffer {
  const number = Buffer.alloc(NUMBER_SIZE);
  // Big-endian: the blocks of a file lie side by side in their order.
  number.writeUInt32BE(block);
  return Buffer.concat([Buffer.from(`${url}\0`), number]);
}

/** Blocks of files by URL and number. */
export class MediaCache {
  readonly #db: DB;
  readonly #origin: Origin;

  private constructor(db: DB, origin: Origin) {
    this.#db = db;
    this.#origin = origin;
  }

  /** Opens or makes the cache in `path`; its tables stay within about `sizeBytesMax`. */
  static async open(path: string, origin: Origin, sizeBytesMax: number): Promise<MediaCache> {
    const db = await DB.open(path, {
      createIfMissing: true,
      compactionStyle: 'fifo',
      compactionOptionsFifo: { maxTableFilesSize: sizeBytesMax },
      writeBufferSize: Math.max(64 * 1024, Math.floor(sizeBytesMax / 8)),
      // Media are compressed already, and a filter answers for blocks that were never here.
      compression: 'none',
      filterPolicy: { type: 'bloom', bitsPerKey: 10 },
    });
    return new MediaCache(db, origin);
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  /** Bytes in tables; what still is in memory is not among them. */
  get tableBytes(): number {
    return this.#db.getLiveFilesMetaData().reduce((sum, { size }) => sum + size, 0);
  }

  /** Bytes `start` to `end` (exclusive) of a file, fewer where it ends. The caller owns them. */
  async read(url: string, start: number, end: number): Promise<Uint8Array> {
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end)) {
      throw new RangeError('a range is two whole numbers, the first not the larger one');
    }
    if (start === end) return new Uint8Array(0);
    const first = Math.floor(start / MEDIA_BLOCK_SIZE);
    const count = Math.floor((end - 1) / MEDIA_BLOCK_SIZE) - first + 1;
    const keys = Array.from({ length: count }, (_, i) => keyOf(url, first + i));
    const blocks = await this.#db.multiGet(keys);
    await this.#fetchMissing(url, first, blocks);
    const from = first * MEDIA_BLOCK_SIZE;
    return Buffer.concat(blocks.map((block) => block!)).subarray(start - from, end - from);
  }

  /** Fetches runs of missing blocks, one request a run, and keeps them without a log: a cache may forget. */
  async #fetchMissing(url: string, first: number, blocks: (Uint8Array | undefined)[]): Promise<void> {
    for (let i = 0; i < blocks.length; i++) {
      if (blocks[i] !== undefined) continue;
      let end = i + 1;
      while (end < blocks.length && blocks[end] === undefined) end++;
      const start = (first + i) * MEDIA_BLOCK_SIZE;
      const bytes = await this.#origin(url, start, (first + end) * MEDIA_BLOCK_SIZE);
      const batch = new WriteBatch();
      for (; i < end; i++) {
        const offset = (first + i) * MEDIA_BLOCK_SIZE - start;
        const block = bytes.subarray(offset, offset + MEDIA_BLOCK_SIZE);
        blocks[i] = block;
        // What ends early may be a file that still grows, so a short block is asked for again.
        if (block.length === MEDIA_BLOCK_SIZE) batch.put(keyOf(url, first + i), block);
      }
      if (batch.count > 0) await this.#db.write(batch, { disableWAL: true });
    }
  }
}

/** The byte of the example's films at a place, so that every range can be checked. */
function byteAt(url: string, offset: number): number {
  return (Math.imul(offset, 2654435761) >>> 21) ^ (url.length & 0xff);
}

/** An origin of films that are all as long as `length`, which counts what is asked of it. */
function countingOrigin(length: number) {
  const asked = { requests: 0, bytes: 0 };
  const origin: Origin = async (url, start, end) => {
    const bytes = new Uint8Array(Math.max(0, Math.min(end, length) - start)).map((_, i) => byteAt(url, start + i));
    asked.requests++;
    asked.bytes += bytes.length;
    return bytes;
  };
  return { asked, origin };
}

/** Plays parts of films, some of them twice and one after a restart, until old blocks have had to go. */
export async function main(directory: string) {
  const length = 3_000_000;
  const sizeBytesMax = 4 * 1024 * 1024;
  const { asked, origin } = countingOrigin(length);
  let cache = await MediaCache.open(directory, origin, sizeBytesMax);
  let wrong = 0;
  const play = async (url: string, start: number, end: number) => {
    const bytes = await cache.read(url, start, end);
    const matches = bytes.length === Math.max(0, Math.min(end, length) - start);
    if (!matches || bytes.some((byte, i) => byte !== (byteAt(url, start + i) & 0xff))) wrong++;
    return { ...asked };
  };
  const first = await play('film-1', 500_000, 900_000);
  const again = await play('film-1', 600_000, 800_001);
  const overlapping = await play('film-1', 850_000, 1_000_000);
  await cache.close();
  cache = await MediaCache.open(directory, origin, sizeBytesMax);
  const reopened = await play('film-1', 500_000, 1_000_000);
  const atEnd = await play('film-1', length - 10, length + 1000);
  for (let film = 2; film < 8; film++) {
    for (let start = 0; start < length; start += 500_000) await play(`film-${film}`, start, start + 500_000);
  }
  await cache.close();
  cache = await MediaCache.open(directory, origin, sizeBytesMax);
  const { tableBytes } = cache;
  const evicted = await play('film-1', 500_000, 900_000);
  await cache.close();
  return { wrong, first, again, overlapping, reopened, atEnd, evicted, tableBytes, sizeBytesMax };
}

await runAsProgram(import.meta.url, main);
