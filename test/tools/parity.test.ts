/**
 * Over every golden database the tools say what the C++ tools say. Method: both run on the same files, side by side, and
 * their outputs must be equal as bytes; what must differ is listed here and in `tools/README.md`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ldb } from '../../tools/ldb/ldb.ts';
import { sstDump } from '../../tools/sst-dump/sst-dump.ts';
import { allFixtures } from '../support/fixtures.ts';
import { rocksdbToolsInstalled } from '../support/rocksdb-tools.ts';
import { temporaryCopy } from '../support/temporary-directory.ts';
import { runInProcess } from './run-in-process.ts';
import { notationOf, runReference } from './session.ts';

const TIMEOUT_MS = 5 * 60_000;

/** Databases that the C++ tools 7.8.3 cannot read, or we refuse. */
const UNREADABLE = /^(modern-|opt-)/;
/** LevelDB's tables end in .ldb, which the C++ tools show as .sst. */
const LEVELDB = /^leveldb/;
/** Where our line on stderr about dropped bytes of a log comes on top. */
const DAMAGED = /^damaged-wal/;

const fixtures = allFixtures().filter(({ name }) => !UNREADABLE.test(name));

async function compare(
  tool: 'ldb' | 'sst_dump',
  args: readonly string[],
  directory: string,
  onlyOutput: boolean,
): Promise<void> {
  const theirs = runReference(tool, args, '');
  const ours = await runInProcess(tool === 'ldb' ? ldb : sstDump, args);
  const shown = (run: { code: number | string; out: string; err: string }): string[] =>
    notationOf(onlyOutput ? { ...run, err: '' } : run, directory);
  expect(shown(ours), args.join(' ')).toEqual(shown(theirs));
}

describe.skipIf(!rocksdbToolsInstalled())('beside the C++ tools', () => {
  test(
    'S119 sst_dump scans, verifies, describes and dumps every table',
    async () => {
      let tables = 0;
      for (const fixture of fixtures) {
        using copy = temporaryCopy(fixture.path);
        for (const name of readdirSync(copy.path).filter((file) => file.endsWith('.sst'))) {
          const file = `--file=${join(copy.path, name)}`;
          await compare('sst_dump', [file, '--command=scan', '--output_hex', '--show_properties'], copy.path, false);
          await compare('sst_dump', [file, '--command=verify', '--verify_checksum'], copy.path, false);
          tables++;
        }
      }
      expect(tables).toBeGreaterThan(120);
    },
    TIMEOUT_MS,
  );

  test(
    'S122 ldb scans every database',
    async () => {
      for (const { name, path } of fixtures) {
        using copy = temporaryCopy(path);
        await compare('ldb', [`--db=${copy.path}`, 'scan', '--hex'], copy.path, DAMAGED.test(name));
        await compare('ldb', [`--db=${copy.path}`, 'idump', '--hex'], copy.path, DAMAGED.test(name));
      }
    },
    TIMEOUT_MS,
  );

  test(
    'S123 ldb dumps every MANIFEST',
    async () => {
      for (const { path } of fixtures) {
        using copy = temporaryCopy(path);
        await compare('ldb', [`--db=${copy.path}`, 'manifest_dump', '--verbose', '--hex'], copy.path, false);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'ldb dumps every log, and everything that is live',
    async () => {
      for (const { name, path } of fixtures) {
        // Offsets behind the padding of a block differ by the padding.
        if (name === 'wal-block-edges') continue;
        using copy = temporaryCopy(path);
        for (const log of readdirSync(copy.path).filter((file) => file.endsWith('.log'))) {
          const walfile = `--walfile=${join(copy.path, log)}`;
          await compare('ldb', ['dump_wal', walfile, '--header', '--print_value'], copy.path, false);
        }
        if (LEVELDB.test(name)) continue;
        await compare('ldb', [`--db=${copy.path}`, 'list_live_files_metadata'], copy.path, DAMAGED.test(name));
        await compare('ldb', [`--db=${copy.path}`, 'list_file_range_deletes'], copy.path, DAMAGED.test(name));
      }
    },
    TIMEOUT_MS,
  );
});
