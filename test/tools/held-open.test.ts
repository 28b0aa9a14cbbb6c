/**
 * A database that another process has open: reads work beside it, writes are refused in RocksDB's words. Method: the C++ tool
 * holds the database with `query`; both tools are then run on it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ldb } from '../../tools/ldb/ldb.ts';
import { rocksdbToolsInstalled } from '../support/rocksdb-tools.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryCopy } from '../support/temporary-directory.ts';
import { runInProcess } from './run-in-process.ts';
import { runReference } from './session.ts';

const POLL_MS = 20;

const optionsFiles = (path: string): number => readdirSync(path).filter((name) => name.startsWith('OPTIONS-')).length;

/** The C++ tool with the database open, until disposed. An open ends with a new OPTIONS file. */
async function holder(path: string): Promise<AsyncDisposable> {
  const before = optionsFiles(path);
  const child = spawn('ldb', [`--db=${path}`, 'query'], { stdio: ['pipe', 'ignore', 'ignore'] });
  while (optionsFiles(path) <= before) await sleep(POLL_MS);
  return {
    [Symbol.asyncDispose]: async () => {
      const exit = once(child, 'exit');
      child.stdin!.end();
      await exit;
    },
  };
}

const reads = [
  ['scan', '--hex'],
  ['get', 'key000010'],
  ['dump', '--count_only'],
  ['idump', '--hex'],
  ['checkconsistency'],
  ['list_live_files_metadata'],
  ['list_column_families'],
  ['list_file_range_deletes'],
  ['get_property', 'rocksdb.levelstats'],
  ['dump_live_files'],
];

const writes = (path: string): string[][] => [
  ['put', 'a', 'b'],
  ['batchput', 'a', 'b'],
  ['delete', 'a'],
  ['singledelete', 'a'],
  ['deleterange', 'a', 'b'],
  ['query'],
  ['load'],
  ['compact'],
  ['change_compaction_style', '--old_compaction_style=0', '--new_compaction_style=1'],
  ['backup', `--backup_dir=${path}/backups`],
  ['checkpoint', `--checkpoint_dir=${path}/checkpoint`],
  ['ingest_extern_sst', `${path}/none.sst`],
  ['repair'],
];

describe.skipIf(!rocksdbToolsInstalled())('beside the C++ tool', () => {
  test('S13 a database that RocksDB has open is read as by its own tool, and writes are refused in its words', async () => {
    using copy = temporaryCopy(join(PROJECT_ROOT, 'test/fixtures/fv5/db'));
    await using _held = await holder(copy.path);
    for (const command of [...reads, ...writes(copy.path)]) {
      const args = [`--db=${copy.path}`, ...command];
      const theirs = runReference('ldb', args, '');
      expect(await runInProcess(ldb, args), command.join(' ')).toEqual(theirs);
      const refused = writes(copy.path).some(([name]) => name === command[0]);
      expect(theirs.code, command.join(' ')).toBe(refused ? 1 : 0);
      if (refused) expect(theirs.err).toContain('IO error: While lock file: ');
    }
    // RocksDB's tool changes the MANIFEST under its owner here.
    for (const command of [
      ['create_column_family', 'x'],
      ['drop_column_family', 'default'],
    ]) {
      const { code, err } = await runInProcess(ldb, [`--db=${copy.path}`, ...command]);
      expect(code).toBe(1);
      expect(err).toMatch(/^Failed: IO error: While lock file: \S+\/LOCK: Resource temporarily unavailable\n$/);
    }
  });
});
