/** Seeded randomness for tests: the same seed gives the same run on every machine. */

import { SeededRandom } from '../../src/env/random.ts';

/** The engine's seeded generator with the draws that tests need. */
export class Random extends SeededRandom {
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

  /** Random bytes; with `compressible`, about half of them lie in runs. */
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
}

/** The seed of a random test: PUMICE_SEED when set, so that a failure can be repeated, else `usual`. */
export function seedFor(usual: number): number {
  const given = process.env.PUMICE_SEED;
  return given === undefined || given === '' ? usual : Number(given);
}
