/** Every preset opens, reaches disk as it says, and differs where it must. */

import { expect, test } from 'vitest';
import { type BlockCache, DB, Env, Options } from '../../../src/index.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PRESETS = [
  ['S5', 'forFlash'],
  ['S5', 'forHardDisk'],
  ['S5', 'forMemory'],
  ['S11', 'pointLookup'],
  ['S11', 'updateHeavy'],
  ['S11', 'mixed'],
  ['S133', 'prepareForBulkLoad'],
  ['S70', 'typicalCompression'],
] as const;

function make(name: (typeof PRESETS)[number][1]): Options {
  return name === 'pointLookup' ? Options.pointLookup(1 << 20) : Options[name]();
}

test.each(PRESETS)('%s the preset %s opens, takes writes, flushes, compacts and opens again', async (_row, name) => {
  const env = Env.memory();
  const options: Options = { ...make(name), env, createIfMissing: true };
  let db = await DB.open('/db', options);
  for (let i = 0; i < 200; i++) db.putSync(`k${i}`, 'v'.repeat(50));
  await db.flush();
  await db.compactRange();
  await db.close();
  db = await DB.open('/db', options);
  expect(db.getSync('k77')).toHaveLength(50);
  await db.close();
  (options.blockCache as BlockCache | undefined)?.close();
});

test('S5 disks get larger blocks and tables than flash', () => {
  const [flash, disk] = [Options.forFlash(), Options.forHardDisk()];
  expect(disk.blockSize!).toBeGreaterThan(flash.blockSize!);
  expect(disk.targetFileSizeBase!).toBeGreaterThan(flash.targetFileSizeBase!);
  expect(disk.maxBackgroundJobs!).toBeLessThan(flash.maxBackgroundJobs!);
});

testWithTools('S70 typicalCompression: no codec in level 0, snappy in level 4, zlib in the last level', async () => {
  using directory = temporaryDirectory();
  const options: Options = { ...Options.typicalCompression(), createIfMissing: true, disableAutoCompactions: true };
  expect(options.compressionPerLevel).toEqual(['none', 'none', 'none', 'snappy', 'snappy', 'snappy', 'snappy']);
  await using db = await DB.open(directory.path, options);
  const codecs = (): string[] =>
    db
      .getLiveFilesMetaData()
      .map(({ name, level }) => {
        const run = runTool('sst_dump', [`--file=${directory.path}${name}`, '--show_properties', '--command=none']);
        return `${level} ${/SST file compression algo: (\w+)/.exec(run.out)?.[1]}`;
      })
      .sort();
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 500; i++) db.putSync(`k${i}`, 'some text that every codec can shorten '.repeat(4));
    await db.flush();
  };
  for (const level of [6, 4]) {
    await fill();
    const top = db.getColumnFamilyMetaData().levels[0]!.files.map(({ name }) => name);
    await db.compactFiles(top, level);
  }
  await fill();
  expect(codecs()).toEqual(['0 NoCompression', '4 Snappy', '6 Zlib']);
});

test('S133 prepareForBulkLoad leaves everything in level 0, and one compaction merges it', async () => {
  const env = Env.memory();
  const options: Options = { ...Options.prepareForBulkLoad(), env, createIfMissing: true, writeBufferSize: 64 << 10 };
  let db = await DB.open('/db', options);
  for (let i = 0; i < 20_000; i++) db.putSync(`k${(i * 7919) % 20_000}`, 'v'.repeat(50));
  await db.flush();
  const levels = db.getColumnFamilyMetaData().levels.map(({ files }) => files.length);
  expect(levels[0]!).toBeGreaterThan(10);
  expect(levels.slice(1)).toEqual([0]);
  await db.close();
  db = await DB.open('/db', { env, numLevels: 2 });
  await db.compactRange();
  const merged = db.getColumnFamilyMetaData().levels.map(({ files }) => files.length);
  expect([merged[0], merged[1]! > 0]).toEqual([0, true]);
  expect(db.getSync('k12345')).toHaveLength(50);
  await db.close();
});
