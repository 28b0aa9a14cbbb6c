/** S45: blocks between 4 and 128 KiB are taken silently; others work as well, and LOG says what speaks against them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DB, type Options } from '../../../src/index.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const KIB = 1024;

/** The warnings of block sizes in LOG after an open with `options`, some rows, and `work`. */
async function warningsOf(options: Options, work?: (db: DB) => Promise<unknown>): Promise<string[]> {
  using directory = temporaryDirectory();
  {
    await using db = await DB.open(directory.path, { createIfMissing: true, ...options });
    for (let i = 0; i < 500; i++) await db.put(`key${i}`, 'x'.repeat(100));
    await db.flush();
    await work?.(db);
    expect(db.getSync('key77')).toHaveLength(100);
  }
  const lines = readFileSync(join(directory.path, 'LOG'), 'utf8').split('\n');
  return lines.filter((line) => line.includes('options.blockSize')).map((line) => line.slice(line.indexOf('[')));
}

test('S45 block sizes from 4 to 128 KiB are nothing to warn of', async () => {
  for (const blockSize of [4 * KIB, 16 * KIB, 128 * KIB]) expect(await warningsOf({ blockSize })).toEqual([]);
  expect(await warningsOf({})).toEqual([]);
});

test.each([
  [1 * KIB, /\[default\] options\.blockSize 1024 is outside the usual 4096 to 131072: the index grows/],
  [256 * KIB, /\[default\] options\.blockSize 262144 is outside the usual 4096 to 131072: every get/],
])('S45 a block size of %d is accepted with a warning in LOG', async (blockSize, warning) => {
  const warnings = await warningsOf({ blockSize });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(warning);
});

test('S45 the warning names the family, and comes with setOptions and createColumnFamily, too', async () => {
  const small = { columnFamilies: { default: {}, small: { blockSize: 512 } }, createMissingColumnFamilies: true };
  const warnings = await warningsOf(small, async (db) => {
    await db.createColumnFamily('large', { blockSize: 1024 * KIB });
    await db.setOptions({ blockSize: 2 * KIB });
    await db.setOptions({ writeBufferSize: 1 << 20 });
  });
  expect(warnings.map((line) => /\[(\w+)\] options\.blockSize (\d+)/.exec(line)?.slice(1))).toEqual([
    ['small', '512'],
    ['large', String(1024 * KIB)],
    ...['default', 'small', 'large'].map((name) => [name, String(2 * KIB)]),
  ]);
});

testWithTools('S45 a size outside the range is kept all the same', async () => {
  using directory = temporaryDirectory();
  const blockSize = 1 * KIB;
  {
    await using db = await DB.open(directory.path, { createIfMissing: true, blockSize, compression: 'none' });
    for (let i = 0; i < 5000; i++) await db.put(`key${String(i).padStart(8, '0')}`, 'x'.repeat(30));
    await db.flush();
  }
  const { out } = runTool('sst_dump', [`--file=${directory.path}`, '--command=none', '--show_properties']);
  const average = Number(/data block size: (\d+)/.exec(out)?.[1]) / Number(/# data blocks: (\d+)/.exec(out)?.[1]);
  expect(average).toBeGreaterThan(blockSize * 0.9);
  expect(average).toBeLessThan(blockSize * 1.1);
});
