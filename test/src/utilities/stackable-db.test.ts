/** A layer that changes nothing is a database like any other, alone and three deep; one that changes something is seen by all calls. */

import { expect, test } from 'vitest';
import {
  BackupEngine,
  DB,
  Env,
  type Options,
  StackableDB,
  type WriteBatch,
  WriteBatch as Batch,
} from '../../../src/index.ts';
import { type ApiSubject, apiSuite } from '../../support/api-suite.ts';

/** A subject in memory with `depth` layers. */
function layered(depth: number): ApiSubject {
  const env = Env.memory();
  return {
    async open(options: Options = {}): Promise<DB> {
      let db: DB | StackableDB = await DB.open('/db', { ...options, env });
      for (let i = 0; i < depth; i++) db = new StackableDB(db);
      return db as unknown as DB;
    },
    dispose: async () => env.close(),
  };
}

apiSuite('S104 one layer', () => layered(1));
apiSuite('S104 three layers', () => layered(3));

test('S104 a layer has every method and property of DB', () => {
  const wanted = Object.getOwnPropertyNames(DB.prototype);
  const has = Object.getOwnPropertyNames(StackableDB.prototype);
  expect(wanted.filter((name) => !has.includes(name))).toEqual([]);
});

/** Keeps keys of its own behind a prefix; enough of a layer to see that every way passes through it. */
class PrefixLayer extends StackableDB {
  override putSync(...[key, value, options]: Parameters<StackableDB['putSync']>): void {
    super.putSync(`p:${String(key)}`, value, options);
  }

  override getSync(...[key, options]: Parameters<StackableDB['getSync']>): Uint8Array | undefined {
    return super.getSync(`p:${String(key)}`, options);
  }
}

test('S104 what a layer overrides is used by family handles and by layers above it', async () => {
  await using db = new StackableDB(new PrefixLayer(await DB.open('/db', { env: Env.memory(), createIfMissing: true })));
  const family = await db.createColumnFamily('f');
  expect(db.columnFamily('f')).toBe(family);
  family.putSync('k', 'v');
  db.putSync('k', 'default');
  expect(Buffer.from(family.getSync('k')!).toString()).toBe('v');
  expect(Buffer.from(db.getSync('k', { columnFamily: family })!).toString()).toBe('v');
  const keys: string[] = [];
  for (const [key] of db.entriesSync({ columnFamily: family })) keys.push(Buffer.from(key).toString());
  expect(keys).toEqual(['p:k']);
  expect(await db.multiGet([['p:k', family], 'p:k'])).toHaveLength(2);
});

test('S104 families, snapshots, batches and files work through three layers', async () => {
  let db: StackableDB = new StackableDB(await DB.open('/db', { env: Env.memory(), createIfMissing: true }));
  for (let i = 0; i < 2; i++) db = new StackableDB(db);
  const family = await db.createColumnFamily('f');
  await db.write(new Batch().put('a', '1').put('a', '2', family).put('b', '3', 'f'));
  using snapshot = db.snapshot();
  await family.put('a', '4');
  const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes!).toString();
  expect(text(await family.get('a', { snapshot }))).toBe('2');
  expect(text(await db.get('b', { columnFamily: family }))).toBe('3');
  await family.flush();
  await family.compactRange();
  expect(family.getProperty('rocksdb.num-files-at-level0')).toBe('0');
  expect(db.getLiveFilesMetaData().map(({ columnFamily }) => columnFamily)).toEqual(['f']);
  expect(db.getApproximateSizes([{ begin: 'a', end: 'z' }], { columnFamily: family })[0]).toBeGreaterThan(0);
  await db.deleteFilesInRange(undefined, undefined, { columnFamily: family });
  expect(await family.get('b')).toBeUndefined();
  await db.dropColumnFamily(family);
  expect(() => family.getSync('a')).toThrow(/dropped/);
  await db.close();
  expect(() => db.getSync('a')).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  const unused: WriteBatch = new Batch();
  await expect(db.write(unused)).rejects.toMatchObject({ code: 'CLOSED' });
});

test('S104 a layered database is backed up like any other', async () => {
  const env = Env.memory();
  await using db = new StackableDB(await DB.open('/db', { env, createIfMissing: true }));
  await db.put('k', 'v');
  await using backups = await BackupEngine.open('/backups', { env });
  const { id } = await backups.createBackup(db);
  await backups.restore(id, '/restored');
  await using restored = await DB.open('/restored', { env });
  expect(Buffer.from(restored.getSync('k')!).toString()).toBe('v');
});
