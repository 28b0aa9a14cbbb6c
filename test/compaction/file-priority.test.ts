/** The order in which a level's files are offered to a compaction. Oracle: the overlap of each file, summed up by itself. */
import { expect, test } from 'vitest';
import { filesByPriority } from '../../compaction/file-priority.ts';
import { bytewiseComparator } from '../../format/base/comparator.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import { Random, seedFor } from '../support/random.ts';
import { table } from '../format/manifest/edit-builders.ts';

const key = (at: number): string => String(at).padStart(4, '0');

/** Neighbours that do not overlap. */
function randomLevel(random: Random, firstNumber: number): FileMetadata[] {
  const files: FileMetadata[] = [];
  for (let at = random.below(20), number = firstNumber; at < 300; number++) {
    const end = at + random.below(20);
    files.push({ ...table(number, key(at), key(end)), sizeBytes: random.between(1, 1000) });
    at = end + 1 + random.below(20);
  }
  return files;
}

function overlapRatio(file: FileMetadata, below: readonly FileMetadata[]): number {
  const text = (internalKey: Uint8Array): string => Buffer.from(internalKey.slice(0, -8)).toString();
  const overlapping = below.filter(
    (other) => text(other.smallest) <= text(file.largest) && text(file.smallest) <= text(other.largest),
  );
  return overlapping.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / file.sizeBytes;
}

test('fewest bytes to rewrite for each byte that goes down, newly found when the level below changes', () => {
  const random = new Random(seedFor(72));
  for (let round = 0; round < 200; round++) {
    const files = randomLevel(random, 1);
    // The same level over three others: what was found for one is of no use for the next.
    for (const below of [randomLevel(random, 100), randomLevel(random, 200), []]) {
      const view = { levels: [[], files, below] };
      const expected = files.toSorted((a, b) => overlapRatio(a, below) - overlapRatio(b, below) || a.number - b.number);
      for (const _ of ['found', 'known']) {
        const order = filesByPriority(view, bytewiseComparator, 1, 2, 'minOverlappingRatio', undefined);
        expect(order.map(({ number }) => number)).toEqual(expected.map(({ number }) => number));
      }
    }
  }
});
