/** What is asked of a level all the time, found once: versions share the levels that an edit does not touch. */
import type { FileMetadata } from './file-metadata.ts';

/** Of the tables of one level. */
export interface LevelFacts {
  /** Sum of their sizes. */
  readonly sizeBytes: number;
  /** Their numbers, in the order of the level: to be searched without a look at thousands of tables. */
  readonly numbers: Float64Array;
}

const known = new WeakMap<readonly FileMetadata[], LevelFacts>();

/** The facts of `files`, which must not change any more: a level of a version. */
export function levelFacts(files: readonly FileMetadata[]): LevelFacts {
  let facts = known.get(files);
  if (facts === undefined) {
    facts = factsOf(files);
    known.set(files, facts);
  }
  return facts;
}

function factsOf(files: readonly FileMetadata[]): LevelFacts {
  let sizeBytes = 0;
  const numbers = new Float64Array(files.length);
  for (let i = 0; i < files.length; i++) {
    const file = files[i]!;
    sizeBytes += file.sizeBytes;
    numbers[i] = file.number;
  }
  return { sizeBytes, numbers };
}
