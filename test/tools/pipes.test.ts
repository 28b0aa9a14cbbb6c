/**
 * What one tool prints the other takes: dumps are loaded, backups restored, files dumped by path, and recompress reports in the
 * same form. Method: ours and the C++ tools take turns.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ldb } from '../../tools/ldb/ldb.ts';
import { sstDump } from '../../tools/sst-dump/sst-dump.ts';
import { rocksdbToolsInstalled } from '../support/rocksdb-tools.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryCopy, temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess } from './run-in-process.ts';
import { runReference } from './session.ts';

type Side = (args: readonly string[], input?: string) => Promise<{ code: number | string; out: string; err: string }>;

const ours: Side = (args, input = '') => runInProcess(ldb, args, input);
const theirs: Side = async (args, input = '') => runReference('ldb', args, input);
const SIDES: readonly [string, Side, string, Side][] = [
  ['Pumice', ours, 'RocksDB', theirs],
  ['RocksDB', theirs, 'Pumice', ours],
];
const fixture = (name: string): string => join(PROJECT_ROOT, 'test/fixtures', name, 'db');

describe.skipIf(!rocksdbToolsInstalled())('beside the C++ tools', () => {
  for (const [from, dumper, to, loader] of SIDES) {
    test(`a dump of ${from} is loaded by ${to}, every byte of it with --hex`, async () => {
      // Keys and values of every byte need hex; words survive as text.
      for (const [name, flags] of [
        ['edge-keys', ['--hex']],
        ['level-compacted', []],
      ] as const) {
        using source = temporaryCopy(fixture(name));
        using target = temporaryDirectory();
        const db = `--db=${join(target.path, 'db')}`;
        const dumped = await dumper([`--db=${source.path}`, 'dump', ...flags]);
        expect(dumped).toMatchObject({ code: 0, err: '' });
        // The last line is the total, which is no row and nothing to warn of.
        const loaded = await loader([db, 'load', '--create_if_missing', ...flags], dumped.out);
        expect(loaded).toEqual({ code: 0, out: '', err: '' });
        for (const reader of [ours, theirs]) {
          const there = await reader([`--db=${source.path}`, 'scan', '--hex']);
          expect(await reader([db, 'scan', '--hex'])).toEqual(there);
        }
      }
    });

    test(`a backup of ${from} with --num_threads=1 is restored by ${to}`, async () => {
      using source = temporaryCopy(fixture('level-compacted'));
      using place = temporaryDirectory();
      const backup = [`--backup_dir=${join(place.path, 'backups')}`, '--num_threads=1'];
      const restored = `--db=${join(place.path, 'db')}`;
      const scan = (await theirs([`--db=${source.path}`, 'scan', '--hex'])).out;
      expect(await dumper([`--db=${source.path}`, 'backup', ...backup])).toEqual({
        code: 0,
        out: 'open db OK\nopen backup engine OK\ncreate new backup OK\n',
        err: '',
      });
      expect(await loader([restored, 'restore', ...backup])).toEqual({
        code: 0,
        out: 'open restore engine OK\nrestore from backup OK\n',
        err: '',
      });
      expect((await ours([restored, 'scan', '--hex'])).out).toBe(scan);
    });
  }

  test('files are dumped by their path in the same words', async () => {
    using copy = temporaryCopy(fixture('wal-multi-cf'));
    cpSync(join(fixture('fv5'), '000009.sst'), join(copy.path, '000099.sst'));
    const names = ['000099.sst', 'MANIFEST-000005', '000004.log', 'none.sst', 'none.txt'];
    for (const name of names) {
      for (const flags of [[], ['--hex']]) {
        const args = ['dump', `--path=${join(copy.path, name)}`, ...flags];
        const [mine, reference] = [await ours(args), await theirs(args)];
        if (/^none/.test(name)) expect(mine.code, name).toBe(reference.code);
        else expect(mine, name).toEqual(reference);
      }
    }
  });

  test('recompress reports every codec, level and block size in the same form', async () => {
    const file = `--file=${join(fixture('fv5'), '000009.sst')}`;
    const runs = [
      [],
      ['--set_block_size=1024'],
      ['--set_block_size=65536', '--compression_types=kNoCompression,kLZ4Compression,kZSTD'],
      ['--compression_types=kZSTD', '--compression_level_from=1', '--compression_level_to=3', '--set_block_size=4096'],
      ['--compression_types=kZlibCompression', '--compression_level_from=1', '--compression_level_to=9'],
    ];
    // Sizes, times and shares are those of each codec's implementation; the width of the columns is the same.
    const shape = (out: string): string[] =>
      out
        .split('\n')
        .filter((line) => !line.includes('kXpress') && !line.startsWith('options.env'))
        .map((line) =>
          line.replaceAll(/(?:Size|Taken|ressed|abort\)|ratio\)): +[\d.]+(?: \([ \d.]+%\))?/g, (cell) => {
            return `${cell.slice(0, cell.indexOf(':'))}:${cell.length}`;
          }),
        );
    for (const flags of runs) {
      const args = [file, '--command=recompress', ...flags];
      const mine = await runInProcess(sstDump, args);
      const reference = runReference('sst_dump', args, '');
      expect(mine.code).toBe(reference.code);
      expect(shape(mine.out), flags.join(' ')).toEqual(shape(reference.out));
    }
  });
});

test('--json has the rows of the text', async () => {
  using copy = temporaryCopy(fixture('level-compacted'));
  const db = `--db=${copy.path}`;
  const rowsOf = async (args: readonly string[]): Promise<Record<string, unknown>[]> => {
    const { code, out, err } = await ours([...args, '--json']);
    expect({ code, err }, args.join(' ')).toEqual({ code: 0, err: '' });
    return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
  };
  const textOf = async (args: readonly string[]): Promise<string[]> => (await ours(args)).out.trimEnd().split('\n');
  const pairs: [string[], (row: Record<string, unknown>) => string][] = [
    [['scan', '--hex'], ({ key, value }) => `${key} : ${value}`],
    [['dump', '--hex'], ({ key, value }) => `${key} ==> ${value}`],
    [['dump', '--count_delim=0'], ({ prefix, count, size }) => `${prefix} => count:${count}\tsize:${size}`],
    [['idump', '--count_delim=0'], ({ prefix, count, size }) => `${prefix} => count:${count}\tsize:${size}`],
    [
      ['list_live_files_metadata', '--sort_by_filename'],
      ({ path, level, columnFamily }) => `${path} : level ${level}, column family '${columnFamily}'`,
    ],
    [['file_checksum_dump'], ({ number, checksumFunction, checksum }) => `${number}, ${checksumFunction}, ${checksum}`],
    [['get_property', 'rocksdb.num-files-at-level3'], ({ name, value }) => `${name}: ${value}`],
  ];
  for (const [command, line] of pairs) {
    const text = await textOf([db, ...command]);
    const rows = (await rowsOf([db, ...command])).map(line);
    expect(rows.length, command.join(' ')).toBeGreaterThan(0);
    for (const row of rows) expect(text, command.join(' ')).toContain(row);
    // What text has on top are headings and totals.
    expect(text.length - rows.length, command.join(' ')).toBeLessThanOrEqual(2);
  }
  const table = `--path=${join(copy.path, '000044.sst')}`;
  const entries = (await textOf(['dump', table])).filter((line) => line.includes(' => ')).length;
  expect(await rowsOf(['dump', table])).toHaveLength(entries + 1);
  const live = await rowsOf([db, 'dump_live_files']);
  expect(live.filter(({ kind }) => kind === 'table')).toHaveLength(9);
  expect(await rowsOf([db, 'dump', '--stats'])).toHaveLength(1);
});

test('--json counts the buckets of a database with a time to live', async () => {
  using copy = temporaryCopy(fixture('ttl'));
  const args = [`--db=${copy.path}`, 'dump', '--ttl', '--bucket=400000000'];
  const text = (await ours(args)).out
    .match(/Keys in range .* : (\d+)$/gm)!
    .map((line) => Number(/\d+$/.exec(line)![0]));
  const { out } = await ours([...args, '--json', '--count_only']);
  const rows = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { from: number; to: number; keys: number });
  expect(text.length).toBeGreaterThan(1);
  expect(rows.flatMap(({ keys }) => (keys === undefined ? [] : [keys]))).toEqual(text);
});
