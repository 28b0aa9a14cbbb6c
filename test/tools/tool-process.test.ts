/**
 * The tools as processes: exit codes, streams, a reader that goes away, a database that somebody else has open. Method:
 * run them with Node as a user would.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DB } from '../../src/index.ts';
import { ldb } from '../../tools/ldb/ldb.ts';
import { sstDump } from '../../tools/sst-dump/sst-dump.ts';
import { directoryFingerprint } from '../support/directory-hash.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryCopy, temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess } from './run-in-process.ts';

const TSX = join(PROJECT_ROOT, 'node_modules/tsx/dist/cli.mjs');
const program = (tool: 'ldb' | 'sst-dump'): string[] => [TSX, join(PROJECT_ROOT, `tools/${tool}/main.ts`)];
const fixture = (name: string): string => join(PROJECT_ROOT, 'test/fixtures', name, 'db');

function run(tool: 'ldb' | 'sst-dump', args: readonly string[], input = ''): ReturnType<typeof spawnSync> {
  return spawnSync(process.execPath, [...program(tool), ...args], { encoding: 'utf8', input });
}

test('S13 results go to stdout, failures as one line to stderr, with the exit code', () => {
  using copy = temporaryCopy(fixture('fv5'));
  const found = run('ldb', [`--db=${copy.path}`, 'get', 'key000010']);
  expect(found).toMatchObject({ status: 0, stdout: 'maple north\n', stderr: '' });
  const absent = run('ldb', [`--db=${copy.path}`, 'get', 'nokey']);
  expect(absent).toMatchObject({ status: 1, stdout: '', stderr: 'Failed: Get failed: NotFound: \n' });
  const table = run('sst-dump', [`--file=${copy.path}/000009.sst`, '--command=identify']);
  expect(table.status).toBe(0);
  expect(table.stdout).toContain('000009.sst is a valid SST file\n');
});

test('lines of standard input are loaded, text beyond ASCII included', () => {
  using directory = temporaryDirectory();
  const db = `--db=${directory.path}/db`;
  const loaded = run('ldb', [db, 'load', '--create_if_missing'], 'kä ==> wert ß\nno line\n');
  expect(loaded).toMatchObject({ status: 0, stdout: 'Warning: 1 bad lines ignored.\n' });
  expect(run('ldb', [db, 'scan'])).toMatchObject({ status: 0, stdout: 'kä : wert ß\n' });
});

test('a reader that goes away ends the tool quietly', async () => {
  using copy = temporaryCopy(fixture('level-compacted'));
  const child = spawn(process.execPath, [...program('ldb'), `--db=${copy.path}`, 'idump', '--hex']);
  let complaints = '';
  child.stderr.on('data', (text: Buffer) => {
    complaints += text.toString();
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = (await once(child, 'exit')) as [number];
  expect(complaints).toBe('');
  expect([0, 141]).toContain(code);
});

test('S13 a database that is open elsewhere can be looked at, and is left as it is', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'db');
  await using db = await DB.open(path, { createIfMissing: true });
  await db.put('in a table', '1');
  await db.flush();
  await db.put('in the log', '2');
  // The owner goes on writing its LOG.
  const files = (): string[] => directoryFingerprint(path).filter((line) => !line.startsWith('LOG '));
  const before = files();
  const looks: string[][] = [
    ['scan'],
    ['idump'],
    ['dump'],
    ['get', 'in the log'],
    ['checkconsistency'],
    ['manifest_dump', '--verbose'],
    ['list_column_families'],
    ['list_live_files_metadata'],
    ['list_file_range_deletes'],
    ['file_checksum_dump'],
    ['dump_live_files'],
    ['get_property', 'rocksdb.stats'],
    ['approxsize', '--from=a', '--to=z'],
  ];
  for (const look of looks) {
    expect(await runInProcess(ldb, [`--db=${path}`, ...look]), look.join(' ')).toMatchObject({ code: 0, err: '' });
  }
  expect((await runInProcess(ldb, [`--db=${path}`, 'scan'])).out).toBe('in a table : 1\nin the log : 2\n');
  expect(files()).toEqual(before);
  const write = run('ldb', [`--db=${path}`, 'put', 'a', 'b']);
  expect(write.status).toBe(1);
  expect(write.stderr).toMatch(/^Failed: .*lock/i);
});

test('--json prints one object a line, and loses no byte', async () => {
  using copy = temporaryCopy(fixture('edge-keys'));
  const scan = await runInProcess(ldb, [`--db=${copy.path}`, 'scan', '--json']);
  const hex = await runInProcess(ldb, [`--db=${copy.path}`, 'scan', '--hex']);
  const bytes = (text: string): string =>
    text.startsWith('0x') ? text : `0x${Buffer.from(text).toString('hex').toUpperCase()}`;
  const lines = Buffer.from(scan.out, 'latin1').toString().trimEnd().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as { key: string; value: string });
  expect(rows.length).toBeGreaterThan(400);
  expect(`${rows.map(({ key, value }) => `${bytes(key)} : ${bytes(value)}`).join('\n')}\n`).toBe(hex.out);
});

test('every command that prints data prints JSON too', async () => {
  using copy = temporaryCopy(fixture('deletes'));
  const db = `--db=${copy.path}`;
  const commands: string[][] = [
    [db, 'get', 'key000011', '--json'],
    [db, 'multi_get', 'key000011', 'nokey', '--json'],
    [db, 'dump', '--json'],
    [db, 'dump', '--json', '--count_only'],
    [db, 'idump', '--json'],
    [db, 'manifest_dump', '--json'],
    [db, 'list_column_families', '--json'],
    [db, 'list_live_files_metadata', '--json'],
    [db, 'list_file_range_deletes', '--json'],
    [db, 'file_checksum_dump', '--json'],
    [db, 'get_property', 'rocksdb.num-files-at-level0', '--json'],
    [db, 'approxsize', '--from=a', '--to=z', '--json'],
    ['dump_wal', `--walfile=${copy.path}/000010.log`, '--json', '--print_value'],
  ];
  for (const args of commands) {
    const { code, out } = await runInProcess(ldb, args);
    expect(code, args.join(' ')).toBe(0);
    expect(out, args.join(' ')).not.toBe('');
    for (const line of out.trimEnd().split('\n')) expect(JSON.parse(line), args.join(' ')).toBeTypeOf('object');
  }
  for (const command of ['scan', 'identify', 'none']) {
    const args = [`--file=${copy.path}/000011.sst`, `--command=${command}`, '--json', '--show_properties'];
    const { code, out } = await runInProcess(sstDump, args);
    expect(code).toBe(0);
    for (const line of out.trimEnd().split('\n')) expect(JSON.parse(line), command).toBeTypeOf('object');
  }
});

test('what makes no sense here is refused with the reason', async () => {
  for (const args of [['--secondary_path=x'], ['--enable_blob_files'], ['--env_uri=x']]) {
    const { code, err } = await runInProcess(ldb, ['--db=x', 'scan', ...args]);
    expect(code).toBe(1);
    expect(err).toMatch(/^Failed: Not implemented: --\w+: .+\n$/);
  }
});

test('--db_write_buffer_size is taken over by the database and kept by later commands', async () => {
  using directory = temporaryDirectory();
  const put = [`--db=${directory.path}/db`, 'put', 'a', 'b'];
  const stored = (): string => {
    const names = readdirSync(`${directory.path}/db`).filter((name) => name.startsWith('OPTIONS-'));
    return readFileSync(`${directory.path}/db/${names.sort().at(-1)}`, 'utf8');
  };
  expect((await runInProcess(ldb, [...put, '--create_if_missing', '--db_write_buffer_size=1048576'])).code).toBe(0);
  expect(stored()).toMatch(/db_write_buffer_size=1048576\n/);
  expect((await runInProcess(ldb, put)).code).toBe(0);
  expect(stored()).toMatch(/db_write_buffer_size=1048576\n/);
  const { code, err } = await runInProcess(ldb, [...put, '--db_write_buffer_size=0']);
  expect(code).toBe(1);
  expect(err).toContain('db_write_buffer_size must be > 0.');
});

test('--decode_blob_index changes nothing of a table without blob indexes; one with some is refused', async () => {
  const table = `${fixture('opt-blob-files')}/000009.sst`;
  const looks: [typeof ldb, string[]][] = [
    [sstDump, [`--file=${table}`, '--command=scan']],
    [ldb, ['dump', `--path=${table}`]],
  ];
  for (const [tool, args] of looks) {
    expect(await runInProcess(tool, args)).toMatchObject({ code: 0, err: '' });
    const decoded = await runInProcess(tool, [...args, '--decode_blob_index']);
    const reason = `${table} has blob indexes, and blob files are not supported`;
    expect(decoded).toMatchObject({ code: 1, err: `Not implemented: --decode_blob_index: ${reason}\n` });
  }
  for (const look of ['dump', 'idump', 'dump_live_files']) {
    const { code, err } = await runInProcess(ldb, [`--db=${fixture('opt-blob-files')}`, look, '--decode_blob_index']);
    expect(code).toBe(1);
    expect(err).toMatch(/^Failed: Not implemented: .*blob files; BlobDB is not supported\n$/);
  }
});

test('flags about how keys and values are written are taken by the commands that have any', async () => {
  using copy = temporaryCopy(fixture('fv5'));
  for (const args of [
    ['put', 'a', 'b', '--json'],
    ['delete', 'a', '--ttl'],
    ['checkpoint', '--hex'],
    ['compact', '--json'],
  ]) {
    const { code, err } = await runInProcess(ldb, [`--db=${copy.path}`, ...args]);
    expect({ code, err }).toEqual({ code: 1, err: `Invalid command-line flag ${args.at(-1)!.slice(2)}\n` });
  }
});

test('without a command, or with one that is unknown, the help says what there is', async () => {
  expect(await runInProcess(ldb, [])).toMatchObject({ code: 1, out: '' });
  const unknown = await runInProcess(ldb, ['bogus']);
  expect(unknown.code).toBe(1);
  expect(unknown.err).toMatch(/^Unknown command\n/);
  const help = await runInProcess(ldb, ['--help']);
  expect(help).toMatchObject({ code: 0, err: '' });
  for (const name of ['put', 'scan', 'manifest_dump', 'dump_wal', 'reduce_levels'])
    expect(help.out).toContain(`\n  ${name}`);
  expect((await runInProcess(sstDump, ['--help'])).out).toContain('--read_num=');
  expect((await runInProcess(sstDump, [])).err).toMatch(/^file or directory must be specified\.\n/);
});

test('a damaged table is told by name and offset, and the rest is still shown', async () => {
  using copy = temporaryCopy(fixture('level-compacted'));
  const victim = join(copy.path, '000044.sst');
  const bytes = readFileSync(victim);
  bytes[100]! ^= 0xff;
  writeFileSync(victim, bytes);
  const check = await runInProcess(sstDump, [`--file=${copy.path}`, '--command=check', '--verify_checksum']);
  expect(check.code).toBe(0);
  expect(check.err).toMatch(/^\S+000044\.sst: Corruption: block checksum mismatch: .* offset 0 size \d+\n$/);
  const verify = await runInProcess(sstDump, [`--file=${copy.path}`, '--command=verify', '--verify_checksum']);
  expect(verify.out.match(/The file is ok/g)?.length).toBe(8);
  expect(verify.err).toMatch(/^\S+000044\.sst is corrupted: Corruption: /);
});

test('progress is shown to somebody at a terminal, and to nobody else', async () => {
  using directory = temporaryDirectory();
  const input = Array.from({ length: 25_000 }, (_, i) => `key${i} ==> value\n`).join('');
  const args = [`--db=${directory.path}/db`, 'load', '--create_if_missing'];
  const watched = await runInProcess(ldb, args, input, true);
  expect(watched).toEqual({ code: 0, out: '', err: '\r10000 rows loaded\r20000 rows loaded\r25000 rows loaded\n' });
  expect(await runInProcess(ldb, args, input)).toEqual({ code: 0, out: '', err: '' });
});

test('recompress reports what each codec makes of the table', async () => {
  const args = [`--file=${fixture('fv5')}/000009.sst`, '--command=recompress'];
  const all = await runInProcess(sstDump, args);
  expect(all).toMatchObject({ code: 0, err: '' });
  const sizes = [...all.out.matchAll(/^Compression: (\w+) *\nCompression level: 32767 Size: +(\d+) Blocks: +2 /gm)];
  expect(sizes.map(([, name]) => name)).toEqual([
    'kNoCompression',
    'kSnappyCompression',
    'kZlibCompression',
    'kBZip2Compression',
    'kLZ4Compression',
    'kLZ4HCCompression',
    'kZSTD',
  ]);
  const plain = Number(sizes[0]![2]);
  for (const [, name, size] of sizes.slice(1)) expect(Number(size), name).toBeLessThan(plain * 0.7);
  const one = await runInProcess(sstDump, [
    ...args,
    '--compression_types=kZSTD',
    '--compression_level_from=1',
    '--compression_level_to=3',
    '--set_block_size=1024',
  ]);
  expect(one.out.match(/^Compression level: [123] Size: /gm)?.length).toBe(3);
  const zstd = [...args, '--compression_types=kZSTD', '--set_block_size=1024'];
  const sizeOf = (out: string): number => Number(/ Size: +(\d+) Blocks/.exec(out)![1]);
  const plainZstd = await runInProcess(sstDump, zstd);
  const withDictionary = await runInProcess(sstDump, [...zstd, '--compression_max_dict_bytes=200']);
  expect(sizeOf(withDictionary.out)).not.toBe(sizeOf(plainZstd.out));
  const trained = await runInProcess(sstDump, [...zstd, '--compression_zstd_max_train_bytes=1']);
  expect(trained).toMatchObject({ code: 1, out: '' });
  expect(trained.err).toMatch(/compression_zstd_max_train_bytes: dictionaries are samples of the data, not trained/);
  const negative = await runInProcess(sstDump, [...zstd, '--compression_max_dict_bytes=-1']);
  expect(negative.err).toMatch(/^compression_max_dict_bytes must be a uint32_t: '--compression_max_dict_bytes=-1'/);
  expect(one.out).toContain('Block Size: 1024\n');
  expect((await runInProcess(sstDump, [...args, '--compression_types=kNope'])).code).toBe(1);
});
