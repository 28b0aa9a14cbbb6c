/**
 * What compactions kept for a snapshot goes when the snapshot does, without a call. Method: tables are compacted under
 * snapshots, the snapshots released, and the tree, the events and the files watched.
 */
import { expect, test } from 'vitest';
import { type CompactionEvent, DB, Env, type MergeOperator, type Options } from '../../../src/index.ts';

const VALUE = 'x'.repeat(1000);
const KEYS = Array.from({ length: 200 }, (_, i) => `key${String(i).padStart(4, '0')}`);

interface Family {
  db: DB;
  compactions: CompactionEvent[];
}

/** A database whose last level holds both versions of every key: the older ones are seen by the snapshot alone. */
async function openFilled(options: Options = {}): Promise<Family> {
  const compactions: CompactionEvent[] = [];
  const listener = { onCompactionCompleted: (event: CompactionEvent) => void compactions.push(event) };
  const env = Env.memory();
  const db = await DB.open('/db', {
    createIfMissing: true,
    env,
    compression: 'none',
    listeners: [listener],
    ...options,
  });
  for (const key of KEYS) await db.put(key, VALUE);
  return { db, compactions };
}

function tableBytes(db: DB): number {
  return db.getLiveFilesMetaData().reduce((sum, { size }) => sum + size, 0);
}

/** Resolves when `done` holds. */
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(done()).toBe(true);
}

/** Time in which automatic work would have begun. */
function aWhile(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 60));
}

test("the release of a snapshot reclaims what was deleted, with RocksDB's reason in the event", async () => {
  const { db, compactions } = await openFilled();
  const snapshot = db.snapshot();
  for (const key of KEYS.slice(1)) await db.delete(key);
  await db.compactRange();
  expect(tableBytes(db)).toBeGreaterThan(KEYS.length * VALUE.length);
  expect(db.getSync(KEYS[7]!, { snapshot })).toBeDefined();
  snapshot.release();
  await until(() => tableBytes(db) < 2 * VALUE.length + 2000);
  await until(() => compactions.at(-1)?.reason === 'BottommostFiles');
  const { inputLevel, outputLevel } = compactions.at(-1)!;
  expect(outputLevel).toBe(inputLevel);
  expect(Buffer.from(db.getSync(KEYS[0]!)!).toString()).toBe(VALUE);
  expect(db.getSync(KEYS[1]!)).toBeUndefined();
  await db.close();
});

test('overwritten values go with the oldest snapshot that saw them, and not before', async () => {
  const { db, compactions } = await openFilled();
  const older = db.snapshot();
  for (const key of KEYS) await db.put(key, 'new');
  const newer = db.snapshot();
  await db.put('zzz', 'last');
  await db.compactRange();
  newer.release();
  await aWhile();
  expect(compactions.some(({ reason }) => reason === 'BottommostFiles')).toBe(false);
  expect(Buffer.from(db.getSync(KEYS[3]!, { snapshot: older })!).toString()).toBe(VALUE);
  older.release();
  await until(() => tableBytes(db) < (KEYS.length * VALUE.length) / 2);
  expect(Buffer.from(db.getSync(KEYS[3]!)!).toString()).toBe('new');
  await db.close();
});

test('a table is rewritten once: later releases find nothing to do', async () => {
  const { db, compactions } = await openFilled();
  const snapshot = db.snapshot();
  for (const key of KEYS) await db.put(key, 'new');
  await db.compactRange();
  snapshot.release();
  await until(() => compactions.at(-1)?.reason === 'BottommostFiles');
  const count = compactions.length;
  for (let i = 0; i < 5; i++) db.snapshot().release();
  await aWhile();
  expect(compactions.length).toBe(count);
  await db.close();
});

test('a table whose operands cannot be merged is not rewritten for ever', async () => {
  const mergeOperator: MergeOperator = {
    name: 'refuses',
    fullMerge() {
      throw new Error('no');
    },
  };
  const { db, compactions } = await openFilled({ mergeOperator });
  await db.merge('key0001', 'operand');
  const snapshot = db.snapshot();
  for (const key of KEYS.slice(2)) await db.delete(key);
  await db.compactRange();
  snapshot.release();
  await until(() => compactions.at(-1)?.reason === 'BottommostFiles');
  const count = compactions.length;
  db.snapshot().release();
  await aWhile();
  expect(compactions.length).toBe(count);
  await db.close();
});

test('with disableAutoCompactions, and while work is paused, everything stays', async () => {
  const { db, compactions } = await openFilled({ disableAutoCompactions: true });
  const snapshot = db.snapshot();
  for (const key of KEYS) await db.delete(key);
  await db.compactRange();
  const before = tableBytes(db);
  snapshot.release();
  await aWhile();
  expect(tableBytes(db)).toBe(before);
  await db.pauseBackgroundWork();
  await db.setOptions({ disableAutoCompactions: false });
  await aWhile();
  expect(tableBytes(db)).toBe(before);
  db.continueBackgroundWork();
  await until(() => tableBytes(db) === 0);
  expect(compactions.at(-1)!.reason).toBe('BottommostFiles');
  await db.close();
});
