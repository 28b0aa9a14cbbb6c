/**
 * Values that shrink to a given part of their size. As in RocksDB: about a megabyte is made of pieces of 100 bytes, each
 * the repetition of a random part of it, and values are cut out of it one behind the other.
 */
import { SeededRandom } from '../../src/env/random.ts';

const PIECE_SIZE = 100;
const DATA_SIZE_MIN = 1 << 20;
const SEED = 301;

/** How long values are. */
export interface ValueSizes {
  readonly distribution: 'fixed' | 'uniform' | 'normal';
  /** Bytes of a fixed value. */
  readonly size: number;
  readonly min: number;
  readonly max: number;
}

/** A supply of values. */
export class RandomValues {
  readonly #data: Uint8Array;
  readonly #sizes: ValueSizes;
  readonly #random: SeededRandom;
  #at = 0;

  /** The content is always the same; `random` draws the sizes that are not fixed. */
  constructor(sizes: ValueSizes, compressionRatio: number, random: SeededRandom) {
    this.#sizes = sizes;
    this.#random = random;
    const longest = sizes.distribution === 'fixed' ? sizes.size : Math.max(sizes.size, sizes.max);
    const source = new SeededRandom(SEED);
    const data = new Uint8Array(Math.ceil(Math.max(DATA_SIZE_MIN, longest) / PIECE_SIZE) * PIECE_SIZE);
    for (let at = 0; at < data.length; at += PIECE_SIZE) {
      fillPiece(data.subarray(at, at + PIECE_SIZE), compressionRatio, source);
    }
    this.#data = data;
  }

  /** The next value: a view that nothing changes. */
  next(size: number = this.nextSize()): Uint8Array {
    if (this.#at + size > this.#data.length) this.#at = 0;
    const value = this.#data.subarray(this.#at, this.#at + size);
    this.#at += size;
    return value;
  }

  /** The size of the next value. */
  nextSize(): number {
    const { distribution, size, min, max } = this.#sizes;
    if (distribution === 'fixed') return size;
    if (distribution === 'uniform') return min + this.#random.below(max - min + 1);
    // The range is three standard deviations to each side; what falls out of it is cut off.
    const deviations =
      Math.sqrt(-2 * Math.log(1 - this.#random.nextFloat())) * Math.cos(2 * Math.PI * this.#random.nextFloat());
    return Math.round(Math.min(max, Math.max(min, (min + max) / 2 + (deviations * (max - min)) / 6)));
  }
}

function fillPiece(piece: Uint8Array, ratio: number, source: SeededRandom): void {
  const random = Math.min(piece.length, Math.max(1, Math.floor(piece.length * ratio)));
  // Printable characters, as RocksDB has them.
  for (let i = 0; i < random; i++) piece[i] = 0x20 + source.below(95);
  for (let i = random; i < piece.length; i++) piece[i] = piece[i - random]!;
}
