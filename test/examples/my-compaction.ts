/**
 * A compaction policy of the application's own: the database's is switched off, and one that is written here decides from
 * the list of live files what `compactFiles` is to merge. The policy is a small leveled one, in two rules: four tables in
 * level 0 go down together, and a level that is too large gives its oldest table to the next.
 */
import { DB, type LiveFileMetaData } from '../../src/index.ts';
import { runAsProgram } from './run-as-program.ts';

const LEVEL0_TABLES = 4;
const LEVEL1_BYTES_MAX = 256 * 1024;
const LEVEL_MULTIPLIER = 4;
const LAST_LEVEL = 6;

/** What to merge, and where to. */
export interface Choice {
  files: string[];
  outputLevel: number;
}

function overlaps(a: LiveFileMetaData, b: LiveFileMetaData): boolean {
  return Buffer.compare(a.smallestKey, b.largestKey) <= 0 && Buffer.compare(b.smallestKey, a.largestKey) <= 0;
}

/** The chosen tables, and those of the level below that share keys with any of them: they must be rewritten together. */
function withLevelBelow(files: readonly LiveFileMetaData[], chosen: readonly LiveFileMetaData[], outputLevel: number) {
  const below = files.filter((file) => file.level === outputLevel && chosen.some((input) => overlaps(file, input)));
  return { files: [...chosen, ...below].map(({ name }) => name), outputLevel };
}

/** The next thing to do, or nothing. A function of the list alone, so it is easily tested and simulated. */
export function choose(files: readonly LiveFileMetaData[]): Choice | undefined {
  const level0 = files.filter(({ level }) => level === 0);
  // All of level 0, not some: a newer version of a key must not sink below an older one.
  if (level0.length >= LEVEL0_TABLES) return withLevelBelow(files, level0, 1);
  let limit = LEVEL1_BYTES_MAX;
  for (let level = 1; level < LAST_LEVEL; level++, limit *= LEVEL_MULTIPLIER) {
    const tables = files.filter((file) => file.level === level);
    if (tables.reduce((sum, { size }) => sum + size, 0) <= limit) continue;
    const oldest = tables.reduce((a, b) => (a.smallestSequence <= b.smallestSequence ? a : b));
    return withLevelBelow(files, [oldest], level + 1);
  }
  return undefined;
}

/** Follows the policy until it has no more to do; returns how many compactions that took. */
export async function compactByPolicy(db: DB): Promise<number> {
  for (let count = 0; ; count++) {
    const choice = choose(db.getLiveFilesMetaData());
    if (choice === undefined) return count;
    await db.compactFiles(choice.files, choice.outputLevel);
  }
}

/** Overwrites some keys many times and keeps the tree in shape from outside. */
export async function main(directory: string) {
  const db = await DB.open(directory, {
    createIfMissing: true,
    compression: 'none',
    disableAutoCompactions: true,
    targetFileSizeBase: 64 * 1024,
  });
  const expected = new Map<string, string>();
  let compactions = 0;
  let level0Max = 0;
  for (let round = 0; round < 16; round++) {
    for (let i = 0; i < 400; i++) {
      const key = `key${String((i * 37 + round * 911) % 4000).padStart(5, '0')}`;
      const value = `${round}.${i}`.padEnd(200, '.');
      db.putSync(key, value);
      expected.set(key, value);
    }
    await db.flush();
    level0Max = Math.max(level0Max, db.getLiveFilesMetaData().filter(({ level }) => level === 0).length);
    compactions += await compactByPolicy(db);
  }
  let wrong = 0;
  let seen = 0;
  for await (const [key, value] of db.entries()) {
    seen++;
    if (expected.get(Buffer.from(key).toString()) !== Buffer.from(value).toString()) wrong++;
  }
  const levels = db.getColumnFamilyMetaData().levels.map(({ files }) => files.length);
  await db.close();
  return { compactions, level0Max, levels, keys: expected.size, seen, wrong };
}

await runAsProgram(import.meta.url, main);
