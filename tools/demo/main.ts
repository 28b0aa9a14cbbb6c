/**
 * `npm run demo`: the main job on real input. Takes the tree of installed packages, thousands of files, with the path
 * as key and the content as value: loads it in batches, counts by extension with a merge operator in a second family,
 * scans one package by prefix, holds a snapshot over overwrites and deletes, compacts, closes, reopens, and checks every
 * value against the files. The last line is OK, or the exit code is 1.
 *
 *   npm run demo -- [--source=FOLDER] [--dir=FOLDER]
 *
 * `--dir` keeps the database there (it must not exist yet); else it lives in a temporary folder that is removed.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DB, type Options, Statistics, WriteBatch } from '../../src/index.ts';
import { formatBytes, formatLevels, formatRate, Progress } from './report.ts';
import { contentOf, type InputFile, listTree } from './source-tree.ts';

const BATCH_BYTES = 4 << 20;
const BATCH_COUNT = 500;
const COUNTS = 'extensions';

const statistics = new Statistics();
const OPTIONS: Options = {
  createIfMissing: true,
  createMissingColumnFamilies: true,
  columnFamilies: { [COUNTS]: { mergeOperator: 'uint64add' } },
  filterPolicy: { type: 'bloom', bitsPerKey: 10 },
  writeBufferSize: 16 << 20,
  statistics,
};

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function check(condition: boolean, what: string): void {
  if (!condition) {
    throw new Error(`mismatch: ${what}`);
  }
}

/** Writes every file and its count, a batch at a time: a file and its count are there together or not at all. */
async function load(db: DB, files: readonly InputFile[]): Promise<number> {
  const progress = new Progress('loaded', files.length);
  const one = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);
  const started = performance.now();
  let bytes = 0;
  let batch = new WriteBatch();
  for (const [index, file] of files.entries()) {
    const content = contentOf(file);
    batch.put(file.key, content);
    batch.merge(file.extension, one, COUNTS);
    bytes += content.length;
    if (batch.byteSize >= BATCH_BYTES || batch.count >= BATCH_COUNT || index === files.length - 1) {
      await db.write(batch);
      batch = new WriteBatch();
      progress.update(index + 1);
    }
  }
  say(
    `  ${files.length} files, ${formatBytes(bytes)}: ${formatRate(bytes, files.length, performance.now() - started)}`,
  );
  return bytes;
}

/** Reads the counts that the merge operator summed and compares them with the files. */
async function checkCounts(db: DB, files: readonly InputFile[]): Promise<void> {
  const expected = new Map<string, number>();
  for (const file of files) {
    expected.set(file.extension, (expected.get(file.extension) ?? 0) + 1);
  }
  const found: [string, number][] = [];
  for await (const [key, value] of db.columnFamily(COUNTS).entries()) {
    const count = Number(new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0, true));
    found.push([Buffer.from(key).toString(), count]);
  }
  check(found.length === expected.size, `${found.length} extensions, expected ${expected.size}`);
  for (const [extension, count] of found) {
    check(expected.get(extension) === count, `${count} files of ${extension}, expected ${expected.get(extension)}`);
  }
  const top = found.sort((a, b) => b[1] - a[1]).slice(0, 6);
  say(`  ${top.map(([extension, count]) => `${extension} ${count}`).join(', ')}`);
}

/** Scans one package by the prefix of its path. */
async function scanPackage(db: DB, files: readonly InputFile[]): Promise<void> {
  const name = files.some((file) => file.key.startsWith('typescript/'))
    ? 'typescript'
    : (files[0]?.key.split('/')[0] ?? '');
  const expected = files.filter((file) => file.key.startsWith(`${name}/`));
  const started = performance.now();
  let index = 0;
  let bytes = 0;
  for await (const [key, value] of db.entries({ iterateLowerBound: `${name}/`, iterateUpperBound: `${name}0` })) {
    check(Buffer.from(key).toString() === expected[index]?.key, `the scan met ${Buffer.from(key)}`);
    index++;
    bytes += value.length;
  }
  check(index === expected.length, `${index} files of ${name}, expected ${expected.length}`);
  say(`  ${name}/: ${index} files, ${formatBytes(bytes)}: ${formatRate(bytes, index, performance.now() - started)}`);
}

/** Deletes every README and overwrites every package.json; gives what the database must hold afterwards for them. */
async function change(db: DB, files: readonly InputFile[]): Promise<Map<string, Uint8Array | undefined>> {
  const changed = new Map<string, Uint8Array | undefined>();
  const batch = new WriteBatch();
  for (const file of files) {
    const name = file.key.slice(file.key.lastIndexOf('/') + 1).toLowerCase();
    if (name === 'readme.md') {
      batch.delete(file.key);
      changed.set(file.key, undefined);
    } else if (name === 'package.json') {
      const value = Buffer.from(`overwritten: ${file.key}`);
      batch.put(file.key, value);
      changed.set(file.key, value);
    }
  }
  await db.write(batch);
  return changed;
}

/** Compares every key with what it must hold, by single gets, and the number of keys by a scan. */
async function verify(
  db: DB,
  files: readonly InputFile[],
  changed: Map<string, Uint8Array | undefined>,
): Promise<void> {
  const progress = new Progress('checked', files.length);
  const started = performance.now();
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    const expected = changed.has(file.key) ? changed.get(file.key) : contentOf(file);
    const found = await db.get(file.key);
    const same =
      expected === undefined || found === undefined ? expected === found : Buffer.compare(expected, found) === 0;
    check(same, `the value of ${file.key}`);
    bytes += found?.length ?? 0;
    if (index % BATCH_COUNT === BATCH_COUNT - 1 || index === files.length - 1) {
      progress.update(index + 1);
    }
  }
  const deleted = [...changed.values()].filter((value) => value === undefined).length;
  let scanned = 0;
  using cursor = db.newIterator();
  for (await cursor.seekToFirst(); cursor.valid; await cursor.next()) {
    scanned++;
  }
  check(scanned === files.length - deleted, `${scanned} keys in a scan, expected ${files.length - deleted}`);
  say(`  ${files.length} keys checked: ${formatRate(bytes, files.length, performance.now() - started)}`);
}

function describeTree(db: DB, userBytes: number): void {
  const tables = db.getLiveFilesMetaData();
  for (const line of formatLevels(tables)) {
    say(line);
  }
  const onDisk = tables.reduce((sum, table) => sum + table.size, 0);
  const written =
    statistics.getTickerCount('rocksdb.flush.write.bytes') + statistics.getTickerCount('rocksdb.compact.write.bytes');
  say(`  space: ${formatBytes(onDisk)} of tables for ${formatBytes(userBytes)} (x${(onDisk / userBytes).toFixed(2)})`);
  say(`  tables written: ${formatBytes(written)} (x${(written / userBytes).toFixed(2)} of the input)`);
}

async function run(source: string, directory: string): Promise<void> {
  const files = listTree(source);
  check(files.length > 0, `no files below ${source}`);
  let changed: Map<string, Uint8Array | undefined>;
  let userBytes: number;
  {
    await using db = await DB.open(directory, OPTIONS);
    say(`Loading ${files.length} files of ${source}`);
    userBytes = await load(db, files);
    say('Counting by extension with a merge operator');
    await checkCounts(db, files);
    say('Scanning one package by prefix');
    await scanPackage(db, files);
    say('Holding a snapshot over overwrites and deletes');
    using snapshot = db.snapshot();
    changed = await change(db, files);
    for (const key of changed.keys()) {
      const file = files.find((each) => each.key === key)!;
      const before = await db.get(key, { snapshot });
      check(before !== undefined && Buffer.compare(before, contentOf(file)) === 0, `the snapshot's value of ${key}`);
    }
    say(`  ${changed.size} keys changed; the snapshot still shows every file as it was`);
    say('Compacting');
    snapshot.release();
    const started = performance.now();
    await db.compactRange();
    await db.columnFamily(COUNTS).compactRange();
    say(`  ${formatRate(userBytes, files.length, performance.now() - started)} of input`);
    describeTree(db, userBytes);
  }
  say('Closed; opening again and checking every value against the files');
  await using db = await DB.open(directory, OPTIONS);
  await verify(db, files, changed);
  await checkCounts(db, files);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { source: { type: 'string' }, dir: { type: 'string' } } });
  const source = values.source ?? fileURLToPath(new URL('../../node_modules', import.meta.url));
  const temporary = values.dir === undefined ? mkdtempSync(join(tmpdir(), 'pumice-demo-')) : undefined;
  const started = performance.now();
  try {
    await run(source, values.dir ?? join(temporary!, 'db'));
    say(`OK: every value is what it must be (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    process.stderr.write(`FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    if (temporary !== undefined) {
      rmSync(temporary, { recursive: true, force: true });
    }
  }
}

await main();
