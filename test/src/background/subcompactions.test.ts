/** Compactions that are divided and run in several threads: one result, one edit, and nothing left when a part fails. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type CompactionEvent,
  type CompactionFilter,
  DB,
  Env,
  MemoryFileSystem,
  type Options,
  Statistics,
} from '../../../src/index.ts';
import { Random } from '../../support/random.ts';
import { expectRows, scanForward } from '../../support/read-database.ts';
import { expectReadableByRocksDB, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MODULE = new URL('../../support/worker-modules.mjs', import.meta.url);
const text = new TextDecoder();
const KEYS = 12_000;

/** Nothing is compacted until somebody asks; parts are large enough for worker threads. */
const base: Options = {
  createIfMissing: true,
  writeBufferSize: 1 << 20,
  targetFileSizeBase: 128 << 10,
  disableAutoCompactions: true,
  compression: 'none',
  maxSubcompactions: 4,
};

/** An environment with two threads for compactions, a directory, and what compactions told. */
class Place implements AsyncDisposable {
  readonly env = new Env({ compactionWorkers: 2, flushWorkers: 1 });
  readonly events: CompactionEvent[] = [];
  readonly statistics = new Statistics();
  readonly #directory = temporaryDirectory();

  get path(): string {
    return `${this.#directory.path}/db`;
  }

  open(options: Options = {}): Promise<DB> {
    const { env, statistics } = this;
    const listeners = [{ onCompactionCompleted: (event: CompactionEvent) => void this.events.push(event) }];
    return DB.open(this.path, { ...base, env, statistics, listeners, ...options });
  }

  /** The compactions that merged. */
  get merges(): CompactionEvent[] {
    return this.events.filter((event) => !event.trivialMove);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.env.close();
    this.#directory[Symbol.dispose]();
  }
}

function key(i: number): string {
  return `key${String(i).padStart(8, '0')}`;
}

/** Three overlapping files in level 0, of puts, deletes, range deletes and merges. */
async function fill(db: DB, seed: number, merges = true): Promise<void> {
  const random = new Random(seed);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < KEYS / 2; i++) {
      const name = key(random.below(KEYS));
      const kind = random.below(10);
      if (kind === 0) db.deleteSync(name);
      else if (kind < 3 && merges) db.mergeSync(name, `m${i}`);
      else db.putSync(name, `${round}`.padEnd(100, '.'));
    }
    // Ranges wide enough to lie over any boundary.
    for (let i = 0; i < 8; i++) {
      const first = random.below(KEYS);
      db.deleteRangeSync(key(first), key(first + random.between(1, KEYS / 6)));
    }
    await db.flush();
  }
}

function tables(path: string): number[] {
  return readdirSync(path)
    .filter((name) => name.endsWith('.sst'))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

function liveTables(db: DB): number[] {
  return db
    .getLiveFilesMetaData()
    .map(({ fileNumber }) => fileNumber)
    .sort((a, b) => a - b);
}

/** The compaction events of LOG, one field of each. */
function logged(path: string, event: string): unknown[] {
  return readFileSync(`${path}/LOG`, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>).num_subcompactions);
}

describe('a divided compaction', () => {
  test('changes no read, now and at a snapshot, and leaves files that do not overlap', async () => {
    await using place = new Place();
    const db = await place.open({ mergeOperator: 'stringappend' });
    await fill(db, 1);
    const snapshot = db.snapshot();
    const before = scanForward(db, { snapshot });
    await fill(db, 2);
    const latest = scanForward(db);
    await db.compactRange();
    expect(scanForward(db, { snapshot })).toEqual(before);
    expect(scanForward(db)).toEqual(latest);
    expect(place.merges[0]?.subcompactions).toBe(4);
    const files = db.getLiveFilesMetaData().filter(({ level }) => level > 0);
    const ends = files.map(({ smallestKey, largestKey }) => [text.decode(smallestKey), text.decode(largestKey)]);
    ends.sort();
    for (let i = 1; i < ends.length; i++) expect(ends[i - 1]![1]! <= ends[i]![0]!).toBe(true);
    snapshot.release();
    await db.close();
    expect(tables(place.path)).toHaveLength(files.length);
  });

  test('runs its parts in several threads, which together read every entry once', async () => {
    await using place = new Place();
    const compactionFilter = { module: MODULE, export: 'filtering', options: { ending: 'none' } };
    const db = await place.open({ compactionFilter });
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < KEYS; i++) db.putSync(key(i), i % 100 === 0 ? 'where' : `${round}`.padEnd(100, '.'));
      await db.flush();
    }
    await db.compactRange();
    const threads = new Set<string>();
    for (let i = 0; i < KEYS; i += 100) threads.add(text.decode(db.getSync(key(i))));
    expect([...threads].every((name) => /^thread [1-9]/.test(name))).toBe(true);
    expect(threads.size).toBe(2);
    const { inputRecords, outputRecords } = place.merges[0]!;
    expect([inputRecords, outputRecords]).toEqual([2 * KEYS, KEYS]);
    await db.close();
  });

  test('S64 is told as one: in LOG, to listeners, to statistics', async () => {
    await using place = new Place();
    const db = await place.open({ mergeOperator: 'stringappend' });
    await fill(db, 3);
    await db.compactRange();
    const event = place.merges[0]!;
    expect(event.subcompactions).toBe(4);
    expect(event.outputFiles.sort((a, b) => a - b)).toEqual(liveTables(db));
    expect(event.bytesWritten).toBe(db.getLiveFilesMetaData().reduce((sum, { size }) => sum + size, 0));
    expect(place.statistics.getHistogram('rocksdb.num.subcompactions.scheduled')).toMatchObject({ count: 1, max: 4 });
    await db.close();
    expect(logged(place.path, 'compaction_started')).toEqual([4]);
    expect(logged(place.path, 'compaction_finished')).toEqual([4]);
    expect(readFileSync(`${place.path}/LOG`, 'utf8')).toMatch(/Compacting L0\[.*, 4 subcompactions\n/);
    expect(readFileSync(`${place.path}/LOG`, 'utf8')).toMatch(/max_subcompactions=4/);
  });

  test('is finished in place by a writer that blocks', async () => {
    await using place = new Place();
    const db = await place.open({
      disableAutoCompactions: false,
      level0FileNumCompactionTrigger: 3,
      level0SlowdownWritesTrigger: 4,
      level0StopWritesTrigger: 4,
      maxWriteBufferNumber: 2,
    });
    const count = 60_000;
    for (let i = 0; i < count; i++) db.putSync(key((i * 7919) % count), `${i}`.padEnd(100, '.'));
    expect(place.merges.some(({ subcompactions }) => subcompactions > 1)).toBe(true);
    for (let i = 0; i < count; i += 7) {
      expect(text.decode(db.getSync(key((i * 7919) % count))).startsWith(`${i}.`)).toBe(true);
    }
    await db.close();
  });

  testWithTools('in level and in universal style is clean for RocksDB', async () => {
    for (const compactionStyle of ['level', 'universal'] as const) {
      await using place = new Place();
      const db = await place.open({ compactionStyle });
      // A tool that knows no merge operator must read it.
      await fill(db, 4, false);
      await db.compactRange();
      await fill(db, 5, false);
      await db.compactRange();
      expect(place.merges.map(({ subcompactions }) => subcompactions)).toContain(4);
      const rows = scanForward(db);
      await db.close();
      expectReadableByRocksDB(place.path, new Map([['default', rows]]));
    }
  });
});

describe('maxSubcompactions', () => {
  /** Into how many parts a manual compaction of three full files goes. */
  async function partsOf(place: Place, db: DB, maxSubcompactions?: number): Promise<number | undefined> {
    place.events.length = 0;
    await fill(db, 6, false);
    await db.compactRange(maxSubcompactions === undefined ? {} : { maxSubcompactions });
    return place.merges[0]?.subcompactions;
  }

  test('changes at run time, and a call of compactRange may have its own', async () => {
    await using place = new Place();
    const db = await place.open({ maxSubcompactions: 1 });
    expect(await partsOf(place, db)).toBe(1);
    expect(await partsOf(place, db, 3)).toBe(3);
    await db.setOptions({ maxSubcompactions: 2 });
    expect(await partsOf(place, db)).toBe(2);
    expect(await partsOf(place, db, 0)).toBe(2);
    expect(await partsOf(place, db, 1)).toBe(1);
    await expect(db.compactRange({ maxSubcompactions: -1 })).rejects.toThrow(
      /maxSubcompactions must be a whole number/,
    );
    await db.close();
    const options = readdirSync(place.path).filter((name) => name.startsWith('OPTIONS-'));
    expect(readFileSync(`${place.path}/${options.sort().at(-1)}`, 'utf8')).toMatch(/max_subcompactions=2/);
  });

  test('divides nothing for components that exist on the opening thread only', async () => {
    await using place = new Place();
    const compactionFilter: CompactionFilter = { name: 'test.Here', filter: () => 'keep' };
    const db = await place.open({ compactionFilter });
    expect(await partsOf(place, db)).toBe(1);
    await db.close();
  });

  test('divides where there are no workers, too: the files depend on the options alone', async () => {
    const fileSystem = new MemoryFileSystem();
    const events: CompactionEvent[] = [];
    const listeners = [{ onCompactionCompleted: (event: CompactionEvent) => void events.push(event) }];
    const db = await DB.open('/db', { ...base, env: new Env({ fileSystem }), listeners });
    await fill(db, 7, false);
    const rows = scanForward(db);
    await db.compactRange();
    expect(events.filter(({ trivialMove }) => !trivialMove)[0]?.subcompactions).toBe(4);
    await expectRows(db, rows);
    await db.close();
  });
});

describe('a part that fails', () => {
  test('in a worker: the others are stopped, no table is left, and the inputs stay', async () => {
    await using place = new Place();
    for (const at of [0, KEYS / 2, KEYS - 1]) {
      const name = key(at);
      const db = await place.open({ compactionFilter: { module: MODULE, export: 'failing', options: { key: name } } });
      for (let round = 0; round < 2; round++) {
        for (let i = 0; i < KEYS; i++) db.putSync(key(i), `${at} ${round}`.padEnd(100, '.'));
        await db.flush();
      }
      const before = liveTables(db);
      await expect(db.compactRange()).rejects.toMatchObject({ code: 'COMPACTION_FAILED' });
      expect(liveTables(db)).toEqual(before);
      expect(tables(place.path)).toEqual(before);
      expect(place.events).toEqual([]);
      expect(text.decode(db.getSync(name)).startsWith(`${at} 1.`)).toBe(true);
      await db.close();
    }
    const db = await place.open();
    await db.compactRange();
    expect(place.merges[0]?.subcompactions).toBe(4);
    await db.close();
  });

  test('on this thread: those that were done before it leave nothing either', async () => {
    const fileSystem = new MemoryFileSystem();
    const compactionFilter = { module: MODULE, export: 'failing', options: { key: key(KEYS - 1) } };
    const db = await DB.open('/db', { ...base, env: new Env({ fileSystem }), compactionFilter });
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < KEYS; i++) db.putSync(key(i), `${round}`.padEnd(100, '.'));
      await db.flush();
    }
    const before = liveTables(db);
    await expect(db.compactRange()).rejects.toMatchObject({ code: 'COMPACTION_FAILED' });
    const left = fileSystem.listSync('/db').filter((name) => name.endsWith('.sst'));
    expect(left.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b)).toEqual(before);
    await db.close();
  });
});
