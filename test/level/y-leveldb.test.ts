/** y-leveldb, which keeps Yjs documents in a Level database, on `PumiceLevel`: its own tests, and the same rows as on LevelDB. */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type * as Yjs from 'yjs';
import { PumiceLevel } from '../../src/utilities/level/index.ts';
import { Random } from '../support/random.ts';
import { expectReadableByRocksDB, testWithTools } from '../support/rocksdb-tools.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** As much of y-leveldb as is used here; its package has no types that an import finds. */
interface Persistence {
  getYDoc(name: string): Promise<Yjs.Doc>;
  getStateVector(name: string): Promise<Uint8Array>;
  getAllDocNames(): Promise<string[]>;
  storeUpdate(name: string, update: Uint8Array): Promise<number>;
  flushDocument(name: string): Promise<void>;
  clearDocument(name: string): Promise<void>;
  setMeta(name: string, key: string, value: unknown): Promise<void>;
  getMetas(name: string): Promise<Map<string, unknown>>;
  destroy(): Promise<void>;
  _transact<T>(work: (db: PumiceLevel) => Promise<T>): Promise<T>;
}

interface PersistenceClass {
  new (location: string, options?: { Level?: unknown; levelOptions?: object }): Persistence;
}

// One Yjs for y-leveldb and the documents made here: its classes do not accept those of a second copy.
const load = createRequire(createRequire(import.meta.url).resolve('y-leveldb/package.json'));
const { LeveldbPersistence } = load('y-leveldb') as { LeveldbPersistence: PersistenceClass };
const Y = load('yjs') as typeof Yjs;

/** Small enough that the documents reach tables. */
const ON_PUMICE = { Level: PumiceLevel, levelOptions: { database: { writeBufferSize: 64 << 10 } } };

/** The tests that y-leveldb 0.2 ships, as it reports them. */
const SHIPPED = ['leveldb update storage', 'encode many updates', 'diff', 'metas', 'delete empty sv', 'misc'];

test('the tests that y-leveldb ships pass', async () => {
  using directory = temporaryDirectory();
  const script = join(PROJECT_ROOT, 'test/level/y-leveldb-suite.ts');
  const run = spawnSync(process.execPath, ['--import', 'tsx', script, directory.path], {
    cwd: PROJECT_ROOT,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  // y-leveldb only warns of an error in a transaction, on stderr.
  expect({ stderr: run.stderr, status: run.status }, run.stdout).toEqual({ stderr: '', status: 0 });
  expect([...run.stdout.matchAll(/^Success: (.*) in /gm)].map((match) => match[1])).toEqual(SHIPPED);
  expect(run.stdout).toContain('All tests successful!');
  // What they left is a database of the engine, with the state vector and the update of the one document of the last test.
  const location = join(directory.path, 'tmp-leveldb-storage');
  expect(readdirSync(location).some((name) => name.startsWith('OPTIONS-'))).toBe(true);
  const level = new PumiceLevel(location);
  const keys = await level.keys().all();
  expect(keys).toHaveLength(2);
  expect(keys.every((key) => key.includes('does not exist'))).toBe(true);
  await level.close();
});

/** Edits of four documents, with metadata, flushes, and one document that is deleted and begun again; the same for a seed. */
async function edit(persistence: Persistence, seed: number): Promise<Map<string, Yjs.Doc>> {
  const random = new Random(seed);
  const docs = new Map<string, Yjs.Doc>();
  const begin = (name: string, clientID: number): Yjs.Doc => {
    const doc = new Y.Doc();
    doc.clientID = clientID;
    doc.on('update', (update: Uint8Array) => void persistence.storeUpdate(name, update));
    docs.set(name, doc);
    return doc;
  };
  for (const [i, name] of ['notes', 'notes/2', 'Grüße', '📝'].entries()) begin(name, i + 1);
  for (let i = 0; i < 1200; i++) {
    const [name, doc] = random.pick([...docs]);
    const text = doc.getText('text');
    if (random.oneIn(4) && text.length > 10) text.delete(random.below(text.length - 5), random.between(1, 5));
    else text.insert(random.below(text.length + 1), random.pick(['word ', 'ß', '語', 'a longer piece of text ']));
    if (random.oneIn(20)) doc.getMap('map').set(`k${random.below(10)}`, i);
    if (random.oneIn(30)) await persistence.setMeta(name, `m${random.below(5)}`, { at: i, by: [name, null, true] });
    if (random.oneIn(60)) await persistence.flushDocument(name);
    if (i === 700) {
      await persistence.clearDocument('notes');
      begin('notes', 99);
    }
  }
  return docs;
}

/** All rows as they are stored. */
function rows(persistence: Persistence): Promise<string[]> {
  return persistence._transact(async (db) => {
    const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
    const entries = await db.iterator<Buffer, Buffer>(encodings).all();
    return entries.map(([key, value]) => `${key.toString('hex')}=${value.toString('hex')}`);
  });
}

async function expectDocuments(persistence: Persistence, docs: ReadonlyMap<string, Yjs.Doc>): Promise<void> {
  expect(new Set(await persistence.getAllDocNames())).toEqual(new Set(docs.keys()));
  for (const [name, doc] of docs) {
    const stored = await persistence.getYDoc(name);
    expect(stored.getText('text').toString()).toBe(doc.getText('text').toString());
    expect(stored.getMap('map').toJSON()).toEqual(doc.getMap('map').toJSON());
    expect(Y.encodeStateVector(stored)).toEqual(Y.encodeStateVector(doc));
  }
}

test('documents survive a reopening, and their rows are those that y-leveldb stores in LevelDB', async () => {
  using directory = temporaryDirectory();
  const [ours, theirs] = [join(directory.path, 'pumice'), join(directory.path, 'leveldb')];
  const persistence = new LeveldbPersistence(ours, ON_PUMICE);
  const docs = await edit(persistence, 21);
  await expectDocuments(persistence, docs);
  const metas = await persistence.getMetas('📝');
  expect(metas.size).toBeGreaterThan(0);
  await persistence.destroy();

  const reopened = new LeveldbPersistence(ours, ON_PUMICE);
  await expectDocuments(reopened, docs);
  expect(await reopened.getMetas('📝')).toEqual(metas);
  const level = new LeveldbPersistence(theirs);
  await edit(level, 21);
  const stored = await rows(reopened);
  expect(stored.length).toBeGreaterThan(docs.size * 2);
  expect(stored).toEqual(await rows(level));
  await Promise.all([reopened.destroy(), level.destroy()]);
});

testWithTools('RocksDB reads and compacts the database that y-leveldb leaves', async () => {
  using directory = temporaryDirectory();
  const persistence = new LeveldbPersistence(directory.path, ON_PUMICE);
  await edit(persistence, 22);
  const stored = await rows(persistence);
  const tables = await persistence._transact(async (db) => Number(db.getProperty('rocksdb.total-sst-files-size')));
  expect(tables).toBeGreaterThan(0);
  await persistence.destroy();
  expectReadableByRocksDB(directory.path, new Map([['default', stored]]));
});
