/**
 * The crash models find what they are for. Method: a toy store with one planted mistake runs on the crashable file
 * system; after every operation images of a power cut are opened and compared with what was acknowledged.
 */
import { expect, test } from 'vitest';
import { CRASH_MODELS } from '../../../src/env/crash-image.ts';
import { MemoryFileSystem } from '../../../src/env/memory-file-system.ts';
import { Random, seedFor } from '../../support/random.ts';
import { PLANTED_BUGS, type PlantedBug, ToyStore } from './toy-store.ts';

const IMAGES_MAX = 1000;

/** What a run found. */
interface Search {
  images: number;
  violation: string | undefined;
}

/** Compares an image with what must and may be there; `undefined`: as promised. */
function violationIn(
  image: MemoryFileSystem,
  bugs: PlantedBug[],
  acked: number,
  batches: number[],
  rng: Random,
): string | undefined {
  // Before the first acknowledgement nothing is promised, not even that there is a store.
  if (acked === 0 && !image.existsSync('/db/CURRENT')) return undefined;
  try {
    const store = new ToyStore(image, '/db', bugs);
    const found = store.numbers.length;
    if (store.numbers.some((n, i) => n !== i)) return `not a prefix: ${store.numbers.join()}`;
    if (found < acked) return `lost: ${found} of ${acked}`;
    if (found > 0 && !batches.includes(found)) return `half a batch: ${found}`;
    // What is written after a recovery must survive the next cut.
    store.put(found);
    const again = new ToyStore(image.crashImage('synced', rng), '/db', bugs);
    return again.numbers.length === found + 1 ? undefined : 'lost after recovery';
  } catch (error) {
    return acked === 0 ? undefined : `cannot open: ${(error as Error).message}`;
  }
}

/** One workload; after each operation some images. */
function search(bugs: PlantedBug[], seed: number, found: Search, limit: number): void {
  const rng = new Random(seed);
  const fs = new MemoryFileSystem({ crashable: true, failedSyncOutcome: rng.pick(['cached', 'old', 'zero']) });
  fs.mkdirSync('/db');
  const root = fs.openDirectorySync('/');
  root.syncSync('file-created');
  const isFaulty = rng.oneIn(2);
  const batches: number[] = [];
  let acked = 0;
  fs.hooks = {
    before: (_, operation) =>
      operation.kind === 'sync' && isFaulty && operation.path.includes('/log-') && rng.oneIn(6)
        ? { errno: 'EIO' }
        : undefined,
    after: () => {
      for (const model of CRASH_MODELS) {
        if (found.violation !== undefined || found.images >= limit) return undefined;
        found.images++;
        const violation = violationIn(fs.crashImage(model, rng), bugs, acked, batches, rng);
        if (violation !== undefined) found.violation = `${model}: ${violation}`;
      }
      return undefined;
    },
  };
  try {
    const store = new ToyStore(fs, '/db', bugs);
    for (let i = 0, next = 0; i < 12; i++) {
      const count = rng.between(1, 4);
      batches.push(next + count);
      store.put(...Array.from({ length: count }, () => next++));
      acked = next;
      if (rng.oneIn(4)) store.roll();
      if (rng.oneIn(5)) store.compact();
    }
  } catch (error) {
    // An injected failure ends the run; a sound store has acknowledged nothing after it.
    expect((error as Error).message).toMatch(/EIO/);
  }
}

function searchUpTo(bugs: PlantedBug[], limit: number): Search {
  const found: Search = { images: 0, violation: undefined };
  for (let seed = seedFor(1); found.images < limit && found.violation === undefined; seed++)
    search(bugs, seed, found, limit);
  return found;
}

test('the toy store without a mistake passes 20,000 images', () => {
  expect(searchUpTo([], 20_000)).toEqual({ images: 20_000, violation: undefined });
});

test.each(PLANTED_BUGS)('found within 1,000 images: %s', (bug) => {
  const found = searchUpTo([bug], IMAGES_MAX);
  expect(found.violation, bug).toBeDefined();
});
