/** Chance. Seeded where a run must repeat itself, the system's where ids must be unique in the world. */
import { randomFillSync } from 'node:crypto';

/** A source of uniform random numbers. */
export interface Rng {
  /** An integer in [0, 2^32). */
  nextUint32(): number;
  /** A number in [0, 1) with 53 random bits. */
  nextFloat(): number;
  /** An integer in [0, limit); REQUIRES 0 < limit <= 2^53. */
  below(limit: number): number;
  /** Fills `target` with random bytes. */
  fill(target: Uint8Array): void;
}

/** sfc32: 128 bits of state, fast, passes PractRand. The same seed gives the same numbers on every machine. */
export class SeededRandom implements Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Any safe integer is a seed. */
  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    // Near seeds start near each other; the author of sfc32 gives 12 rounds to mix them apart.
    for (let i = 0; i < 15; i++) this.nextUint32();
  }

  nextUint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  nextFloat(): number {
    return ((this.nextUint32() >>> 5) * 2 ** 26 + (this.nextUint32() >>> 6)) / 2 ** 53;
  }

  below(limit: number): number {
    // Bias is below 2^-32 * limit for small limits and below 2^-53 * limit for large ones: fine for choices, not for keys.
    if (limit <= 0x10000) return Math.floor((this.nextUint32() * limit) / 2 ** 32);
    return Math.floor(this.nextFloat() * limit);
  }

  fill(target: Uint8Array): void {
    for (let i = 0; i < target.length; i++) target[i] = this.nextUint32() & 0xff;
  }

  /** A generator of its own that depends on this one's seed and position. */
  fork(): SeededRandom {
    return new SeededRandom(this.nextUint32() * 2 ** 20 + (this.nextUint32() & 0xfffff));
  }
}

/** The system's generator, for database ids and session ids. */
export class SystemRandom implements Rng {
  readonly #words = new Uint32Array(64);
  #used = 64;

  nextUint32(): number {
    if (this.#used === this.#words.length) {
      randomFillSync(this.#words);
      this.#used = 0;
    }
    return this.#words[this.#used++]!;
  }

  nextFloat(): number {
    return ((this.nextUint32() >>> 5) * 2 ** 26 + (this.nextUint32() >>> 6)) / 2 ** 53;
  }

  below(limit: number): number {
    return Math.floor(this.nextFloat() * limit);
  }

  fill(target: Uint8Array): void {
    randomFillSync(target);
  }
}

/** A version 4 UUID in its text form, as in IDENTITY files. */
export function randomUuid(rng: Rng): string {
  const bytes = new Uint8Array(16);
  rng.fill(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The id of one session of a writer of tables, as their properties hold it: 20 digits of base 36. */
export function newSessionId(rng: Rng): string {
  return Array.from({ length: 20 }, () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'[rng.below(36)]).join('');
}
