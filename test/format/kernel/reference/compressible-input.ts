/** Inputs for compressors: from random to constant, with repeats near and far. */

import type { Random } from '../../../support/random.ts';

/** How many kinds `randomInput` knows. */
export const INPUT_KINDS = 6;

/** `size` bytes of a kind: 0 half compressible, 1 constant, 2 random, 3 few letters, 4 near repeats, 5 far repeats. */
export function randomInput(random: Random, kind: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const letter = random.below(256);
  const period = random.between(1, 70_000);
  for (let i = 0; i < size; i++) {
    if (kind === 0) bytes[i] = i % 100 < 50 ? 32 + random.below(95) : bytes[i - 50]!;
    else if (kind === 1) bytes[i] = letter;
    else if (kind === 2) bytes[i] = random.below(256);
    else if (kind === 3) bytes[i] = 97 + random.below(3);
    else if (kind === 4) bytes[i] = i > 20 && !random.oneIn(9) ? bytes[i - 1 - random.below(20)]! : random.below(256);
    else bytes[i] = i >= period && !random.oneIn(50) ? bytes[i - period]! : random.below(256);
  }
  return bytes;
}
