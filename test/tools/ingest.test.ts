/**
 * External tables go both ways between Pumice and C++ RocksDB: what one writes the other ingests, and both read the result.
 * Method: `ldb` of RocksDB 7.8.3 and ours take turns on one database.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DB, SstFileWriter } from '../../src/index.ts';
import { ldb } from '../../tools/ldb/ldb.ts';
import { rocksdbToolsInstalled } from '../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess } from './run-in-process.ts';
import { runReference } from './session.ts';

type Side = (args: readonly string[], input?: string) => Promise<{ code: number | string; out: string; err: string }>;

const ours: Side = (args, input = '') => runInProcess(ldb, args, input);
const theirs: Side = async (args, input = '') => runReference('ldb', args, input);

async function succeed(side: Side, args: readonly string[], input = ''): Promise<string> {
  const { code, out, err } = await side(args, input);
  expect({ code, err: code === 0 ? '' : err }, args.join(' ')).toEqual({ code: 0, err: '' });
  return out;
}

const WRITERS: readonly [string, Side, string, Side][] = [
  ['Pumice', ours, 'RocksDB', theirs],
  ['RocksDB', theirs, 'Pumice', ours],
  ['Pumice', ours, 'Pumice', ours],
];

describe.skipIf(!rocksdbToolsInstalled())('beside the C++ tools', () => {
  for (const [writerName, writer, readerName, reader] of WRITERS) {
    for (const flags of [[], ['--write_global_seqno=false'], ['--move_files']]) {
      test(`${writerName} writes a table, ${readerName} ingests it ${flags.join(' ')}, both read it`, async () => {
        using directory = temporaryDirectory();
        const db = `--db=${directory.path}/db`;
        const table = join(directory.path, 'x.sst');
        await succeed(ours, [db, 'put', 'b', 'stored', '--create_if_missing']);
        await succeed(theirs, [db, 'put', 'd', 'stored']);
        await succeed(writer, [db, 'write_extern_sst', table], 'a ==> 1\nb ==> 2\nc ==> 3\n');
        await succeed(reader, [db, 'ingest_extern_sst', table, ...flags]);
        const expected = 'a : 1\nb : 2\nc : 3\nd : stored\n';
        expect(await succeed(theirs, [db, 'scan'])).toBe(expected);
        expect(await succeed(ours, [db, 'scan'])).toBe(expected);
        await succeed(theirs, [db, 'checkconsistency']);
        for (const side of [theirs, ours]) {
          await succeed(side, [db, 'put', 'b', 'later']);
          await succeed(side, [db, 'compact']);
          expect(await succeed(side, [db, 'scan'])).toBe(expected.replace('b : 2', 'b : later'));
        }
      });
    }
  }

  test('tables of both are alike but for the session that wrote them, and are patched alike', async () => {
    using directory = temporaryDirectory();
    const bytes: Buffer[] = [];
    for (const [name, side] of [
      ['ours', ours],
      ['them', theirs],
    ] as const) {
      const db = `--db=${directory.path}/${name}`;
      await succeed(theirs, [db, 'put', 'b', 'stored', '--create_if_missing']);
      await succeed(theirs, [db, 'compact']);
      const table = join(directory.path, 'x.sst');
      await succeed(ours, [db, 'write_extern_sst', table], 'a ==> 1\nb ==> 2\n');
      await succeed(side, [db, 'ingest_extern_sst', table]);
      await using open = await DB.open(`${directory.path}/${name}`, { readOnly: true });
      const ingested = open.getLiveFilesMetaData().find(({ largestSequence }) => largestSequence === 2);
      bytes.push(readFileSync(`${directory.path}/${name}${ingested!.name}`));
    }
    const differing = [...bytes[0]!.keys()].filter((i) => bytes[0]![i] !== bytes[1]![i]);
    expect(bytes[0]!.length).toBe(bytes[1]!.length);
    // Twenty characters of the session's id, and the checksum of the block that they stand in.
    expect(differing.length).toBeLessThanOrEqual(24);
  });

  test('deletions, range deletions and merges in a table of ours act for RocksDB, too', async () => {
    using directory = temporaryDirectory();
    const db = `--db=${directory.path}/db`;
    for (const key of ['a', 'b', 'r1', 'r2', 'z'])
      await succeed(theirs, [db, 'put', key, 'old', '--create_if_missing']);
    const path = join(directory.path, 'x.sst');
    await using writer = await SstFileWriter.open(path, { mergeOperator: 'stringappend' });
    await writer.merge('a', 'more');
    await writer.delete('b');
    await writer.deleteRange('r', 's');
    await writer.finish();
    await succeed(theirs, [db, 'ingest_extern_sst', path]);
    expect(await succeed(theirs, [db, 'scan'])).toBe('a : old:more\nz : old\n');
    expect(await succeed(ours, [db, 'scan'])).toBe('a : old:more\nz : old\n');
  });
});
