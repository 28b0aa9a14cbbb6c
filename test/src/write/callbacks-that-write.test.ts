/**
 * Listeners and filters that write into the database that calls them. Method: one on every event, small memtables, so that events come in
 * the middle of writes; then every row is looked at, also after a reopen.
 */
import { expect, test } from 'vitest';
import {
  type CompactionFilter,
  DB,
  type DBError,
  Env,
  type EventListener,
  NodeFileSystem,
  type Options,
} from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ROWS = 2000;
const value = Buffer.alloc(1000, 'v');
/** More than what is committed without waiting for company. */
const largeValue = Buffer.alloc(40_000, 'l');
const EVENTS = [
  'onFlushBegin',
  'onFlushCompleted',
  'onCompactionBegin',
  'onCompactionCompleted',
  'onStallConditionsChanged',
  'onTableFileCreated',
  'onTableFileDeleted',
  'onMemTableSealed',
] as const satisfies (keyof EventListener)[];

const SMALL: Options = {
  createIfMissing: true,
  writeBufferSize: 64 << 10,
  maxWriteBufferNumber: 2,
  level0FileNumCompactionTrigger: 2,
  level0SlowdownWritesTrigger: 3,
  level0StopWritesTrigger: 4,
};

/** A listener that does `act` on each event, with the number of the call. */
function onEvery(act: (call: number) => void): EventListener {
  let calls = 0;
  return Object.fromEntries(EVENTS.map((name) => [name, () => act(calls++)]));
}

function expectRows(db: DB, prefix: string, count: number, size: number): void {
  for (let i = 0; i < count; i++) {
    const row = db.getSync(`${prefix} ${i}`);
    if (row?.length !== size) throw new Error(`${prefix} ${i} of ${count} has ${row?.length} bytes`);
  }
}

const fileSystems = [
  ['memory', () => Env.memory()],
  ['disk', () => new Env({ fileSystem: new NodeFileSystem() })],
] as const;

test.each(fileSystems)(
  'a blocking write from a listener is refused: it tore the write that it came in between (%s)',
  async (_, makeEnv) => {
    using directory = temporaryDirectory();
    const env = makeEnv();
    const refusals: unknown[] = [];
    let db: DB;
    const listener = onEvery((call) => {
      try {
        db.putSync(`nested ${call}`, value);
      } catch (error) {
        refusals.push((error as DBError).code);
      }
    });
    db = await DB.open(directory.path, { ...SMALL, env, listeners: [listener] });
    for (let i = 0; i < ROWS; i++) db.putSync(`key ${i}`, value);
    expectRows(db, 'key', ROWS, value.length);
    await db.close();
    expect(refusals.length).toBeGreaterThan(50);
    expect(new Set(refusals)).toEqual(new Set(['BUSY']));
    db = await DB.open(directory.path, { env });
    expectRows(db, 'key', ROWS, value.length);
    expect(db.getSync('nested 0')).toBeUndefined();
    await db.close();
  },
);

test.each(fileSystems)(
  'promised writes from a listener are committed behind what it is told of (%s)',
  async (_, makeEnv) => {
    using directory = temporaryDirectory();
    const env = makeEnv();
    const promised: Promise<void>[] = [];
    let db: DB;
    const listener = onEvery((call) => {
      // Not for ever: what is written here causes events, too.
      if (call < 200) promised.push(db.put(`nested ${call}`, largeValue));
    });
    db = await DB.open(directory.path, { ...SMALL, env, listeners: [listener] });
    for (let i = 0; i < ROWS / 2; i++) db.putSync(`key ${i}`, value);
    for (let i = ROWS / 2; i < ROWS; i++) await db.put(`key ${i}`, value);
    await db.flush();
    await Promise.all(promised);
    expect(promised).toHaveLength(200);
    expectRows(db, 'nested', 200, largeValue.length);
    await db.close();
    db = await DB.open(directory.path, { env });
    expectRows(db, 'key', ROWS, value.length);
    expectRows(db, 'nested', 200, largeValue.length);
    await db.close();
  },
);

test.each(fileSystems)(
  'a compaction filter that writes while a writer carries it out is refused, and that write is whole (%s)',
  async (_, makeEnv) => {
    using directory = temporaryDirectory();
    const refusals: unknown[] = [];
    let calls = 0;
    let db: DB;
    const compactionFilter: CompactionFilter = {
      name: 'test.writing',
      filter() {
        if (calls++ % 50 !== 0) return 'keep';
        try {
          db.putSync(`nested ${calls}`, value);
        } catch (error) {
          refusals.push((error as DBError).code);
        }
        return 'keep';
      },
    };
    db = await DB.open(directory.path, { ...SMALL, env: makeEnv(), compactionFilter });
    for (let i = 0; i < ROWS; i++) db.putSync(`key ${i}`, value);
    expectRows(db, 'key', ROWS, value.length);
    expect(refusals.length).toBeGreaterThan(50);
    expect(new Set(refusals)).toEqual(new Set(['BUSY']));
    await db.close();
  },
);
