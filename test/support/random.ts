/** Seeded randomness for tests: the same seed gives the same run on every machine. */

/** A small fast generator (sfc32) with the draws that tests need. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number) {
    this.a = seed | 0;
    this.b = 0x9e3779b9;
    this.c = 0x243f6a88;
    for (let i = 0; i < 12; i++) {
      this.uint32();
    }
  }

  /** 32 random bits as a number from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * limit);
  }

  /** A whole number from `least` to `most`, both possible. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True once in `n` on average. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Random bytes; about half of them compressible runs when `compressible` is set. */
  bytes(length: number, compressible = false): Uint8Array {
    const result = new Uint8Array(length);
    for (let i = 0; i < length; ) {
      const byte = this.below(256);
      const run = compressible && this.oneIn(4) ? this.between(2, 24) : 1;
      result.fill(byte, i, Math.min(length, i + run));
      i += run;
    }
    return result;
  }

  /** A child generator: draws from it do not move this one. */
  fork(): Random {
    return new Random(this.uint32());
  }
}

/** The seed of a random test: PUMICE_SEED when set, so that a failure can be repeated, else `usual`. */
export function seedFor(usual: number): number {
  const given = process.env.PUMICE_SEED;
  return given === undefined || given === '' ? usual : Number(given);
}
