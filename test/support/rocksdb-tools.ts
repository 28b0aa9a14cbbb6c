/**
 * Runs the C++ tools `ldb` and `sst_dump` (RocksDB 7.8.3, Debian package rocksdb-tools), the checking oracle.
 * Where they are not installed the tests that need them are skipped, loudly; with CI=true that is a failure.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { directoryFingerprint } from './directory-hash.ts';
import { temporaryCopy } from './temporary-directory.ts';

/** What one run of a tool left: its exit code (or the signal's name) and its two outputs. */
export interface ToolRun {
  code: number | string;
  out: string;
  err: string;
}

/** Runs a tool to its end. */
export function runTool(name: 'ldb' | 'sst_dump', args: readonly string[]): ToolRun {
  const result = spawnSync(name, args, { encoding: 'utf8', maxBuffer: 256 << 20 });
  return { code: result.signal ?? result.status ?? -1, out: result.stdout ?? '', err: result.stderr ?? '' };
}

/** True where the tools can be run. With CI=true a missing tool throws instead. */
export function rocksdbToolsInstalled(): boolean {
  const installed = spawnSync('ldb', ['--version']).error === undefined;
  if (!installed && process.env.CI === 'true') {
    throw new Error('ldb and sst_dump are not installed: apt-get install rocksdb-tools');
  }
  if (!installed) {
    process.stderr.write('\n*** SKIPPED: ldb and sst_dump are not installed (apt-get install rocksdb-tools) ***\n');
  }
  return installed;
}

/** `test`, skipped where the C++ tools are missing. */
export const testWithTools: typeof test.skip = rocksdbToolsInstalled() ? test : test.skip;

/** The rows of one family as `hex(key)=hex(value)`, read by ldb in order. The database must not be open elsewhere. */
export function ldbScan(directory: string, family = 'default'): string[] {
  const run = runTool('ldb', [`--db=${directory}`, `--column_family=${family}`, 'scan', '--hex']);
  expect({ code: run.code, err: run.err }, `ldb scan of ${directory}, family ${family}`).toMatchObject({ code: 0 });
  expect(run.out, `ldb scan of ${directory}, family ${family}`).not.toMatch(/Failed|Corruption/);
  const rows: string[] = [];
  for (const line of run.out.split('\n')) {
    const match = /^0x([0-9A-F]*) (?::|==>) 0x([0-9A-F]*)$/.exec(line);
    if (match !== null) {
      rows.push(`${match[1]}=${match[2]}`.toLowerCase());
    }
  }
  return rows;
}

/** Fails unless `ldb checkconsistency` says OK. */
export function expectConsistent(directory: string): void {
  const run = runTool('ldb', [`--db=${directory}`, 'checkconsistency']);
  expect(`${run.code} ${run.out.trim()} ${run.err.trim()}`, `ldb checkconsistency of ${directory}`).toMatch(/^0 OK/);
}

/** Fails unless sst_dump finds every block of every table sound. Gives the number of tables. */
export function expectTablesSound(directory: string): number {
  const tables = readdirSync(directory).filter((name) => name.endsWith('.sst'));
  for (const name of tables) {
    const run = runTool('sst_dump', [`--file=${join(directory, name)}`, '--command=verify', '--verify_checksum']);
    expect(`${run.out}${run.err}`, `sst_dump verify of ${name}`).toContain('The file is ok');
    expect(`${run.out}${run.err}`, `sst_dump verify of ${name}`).not.toMatch(/Corruption|corrupted/);
  }
  return tables.length;
}

/** The lists of families that ldb finds, sorted by name. */
export function ldbFamilies(directory: string): string[] {
  const run = runTool('ldb', [`--db=${directory}`, 'list_column_families']);
  const list = /\{(.*)\}/.exec(run.out)?.[1] ?? '';
  return list.split(', ').sort();
}

/**
 * The whole check of a closed database of ours: consistent, every table sound, every family's rows as expected, and
 * that a read-write open, a put and a full compaction by the C++ library work on a copy and keep the rows.
 */
export function expectReadableByRocksDB(directory: string, families: ReadonlyMap<string, readonly string[]>): void {
  const before = directoryFingerprint(directory).filter((line) => !line.startsWith('LOG'));
  expectConsistent(directory);
  expectTablesSound(directory);
  expect(ldbFamilies(directory)).toEqual([...families.keys()].sort());
  for (const [family, rows] of families) {
    expect(ldbScan(directory, family), `family ${family}`).toEqual(rows);
  }
  expect(directoryFingerprint(directory).filter((line) => !line.startsWith('LOG'))).toEqual(before);
  using copy = temporaryCopy(directory);
  for (const [family, rows] of families) {
    const compact = runTool('ldb', [`--db=${copy.path}`, `--column_family=${family}`, 'compact']);
    expect(compact, `ldb compact of family ${family}`).toMatchObject({ code: 0 });
    expect(ldbScan(copy.path, family), `family ${family} compacted by ldb`).toEqual(rows);
  }
  expectConsistent(copy.path);
}
