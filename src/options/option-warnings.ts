/** Options that are accepted and yet seldom meant: what LOG says of them at the open and when they change. */
import type { FamilyOptions } from './resolved-options.ts';

/** The sizes between which data blocks serve reads well. */
const BLOCK_SIZE_USUAL = { min: 4 * 1024, max: 128 * 1024 };

/** A sentence for each option of a family that lies outside its usual range. */
export function optionWarnings({ table }: Pick<FamilyOptions, 'table'>): string[] {
  const { blockSize } = table;
  const { min, max } = BLOCK_SIZE_USUAL;
  if (blockSize >= min && blockSize <= max) return [];
  const why =
    blockSize < min
      ? 'the index grows and little is compressed together'
      : 'every get of a row reads and decompresses all of a block';
  return [`options.blockSize ${blockSize} is outside the usual ${min} to ${max}: ${why}`];
}
