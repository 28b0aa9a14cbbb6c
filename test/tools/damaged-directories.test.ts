/**
 * Directories in which something is damaged or gone: the tools end as RocksDB's do, and `repair` saves what is left. Method:
 * the same damage in two copies of a golden database, the C++ tool on one, ours on the other.
 */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ldb } from '../../tools/ldb/ldb.ts';
import { rocksdbToolsInstalled } from '../support/rocksdb-tools.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { type TemporaryDirectory, temporaryCopy } from '../support/temporary-directory.ts';
import { runInProcess } from './run-in-process.ts';
import { runReference } from './session.ts';

type Damage = (path: string) => void;

const TABLE = '000009.sst';

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  const at = offset < 0 ? bytes.length + offset : offset;
  bytes[at]! ^= 0xff;
  writeFileSync(path, bytes);
}

/** What is done to the directory, and where the kind of our error differs from RocksDB's, the kind of ours. */
const DAMAGES: readonly [string, Damage, string?][] = [
  ['a missing table', (path) => rmSync(join(path, TABLE))],
  ['a table that is too short', (path) => truncateSync(join(path, TABLE), 100)],
  ['a table with a damaged footer', (path) => flip(join(path, TABLE), -5)],
  ['a table with a damaged block', (path) => flip(join(path, TABLE), 100)],
  ['a missing MANIFEST', (path) => rmSync(join(path, 'MANIFEST-000005')), 'Corruption'],
  ['an empty MANIFEST', (path) => truncateSync(join(path, 'MANIFEST-000005'), 0)],
  ['an empty CURRENT', (path) => truncateSync(join(path, 'CURRENT'), 0)],
  ['a CURRENT without its end of line', (path) => truncateSync(join(path, 'CURRENT'), 15)],
  ['a CURRENT that names no MANIFEST', (path) => writeFileSync(join(path, 'CURRENT'), 'hello\n')],
  ['a missing CURRENT', (path) => rmSync(join(path, 'CURRENT'))],
];

function damaged(damage: Damage): TemporaryDirectory {
  const copy = temporaryCopy(join(PROJECT_ROOT, 'test/fixtures/fv5/db'));
  damage(copy.path);
  return copy;
}

/** `Failed: Corruption`, `Failed: IO error`; what follows differs in its words. */
const kindOf = (err: string): string => err.split(':').slice(0, 2).join(':');

describe.skipIf(!rocksdbToolsInstalled())('beside the C++ tool', () => {
  for (const [name, damage, ourKind] of DAMAGES) {
    test(`${name} is told by the same kind of error and exit code`, async () => {
      for (const command of [['checkconsistency'], ['scan'], ['put', 'a', 'b'], ['list_live_files_metadata']]) {
        using theirs = damaged(damage);
        using ours = damaged(damage);
        const expected = runReference('ldb', [`--db=${theirs.path}`, ...command], '');
        const found = await runInProcess(ldb, [`--db=${ours.path}`, ...command]);
        const what = command.join(' ');
        expect(found.code, what).toBe(expected.code);
        expect(found.out.replaceAll(ours.path, ''), what).toBe(expected.out.replaceAll(theirs.path, ''));
        if (ourKind !== undefined) expect(kindOf(found.err), what).toBe(`Failed: ${ourKind}`);
        else expect(kindOf(found.err), what).toBe(kindOf(expected.err));
      }
    });
  }

  test('a damaged block is told in the same words, sums included', async () => {
    using copy = damaged((path) => flip(join(path, TABLE), 100));
    const args = [`--db=${copy.path}`, 'scan'];
    const { err } = runReference('ldb', args, '');
    expect(err).toMatch(/^Failed: Corruption: block checksum mismatch: stored = \d+, computed = \d+/);
    expect((await runInProcess(ldb, args)).err).toBe(err);
  });

  for (const [name, damage] of DAMAGES.filter(([, , kind], index) => index >= 4 || kind !== undefined)) {
    test(`repair after ${name} brings back what RocksDB's brings back`, async () => {
      using theirs = damaged(damage);
      using ours = damaged(damage);
      expect(runReference('ldb', [`--db=${theirs.path}`, 'repair'], '')).toMatchObject({ code: 0, out: 'OK\n' });
      expect(await runInProcess(ldb, [`--db=${ours.path}`, 'repair'])).toEqual({ code: 0, out: 'OK\n', err: '' });
      const rows = (path: string): string => runReference('ldb', [`--db=${path}`, 'scan', '--hex'], '').out;
      expect(rows(theirs.path).split('\n')).toHaveLength(334);
      expect(rows(ours.path)).toBe(rows(theirs.path));
    });
  }
});

test('repair sets a damaged table aside, says so, and the rest opens', async () => {
  for (const [, damage] of DAMAGES.slice(1, 4)) {
    using copy = damaged(damage);
    const { code, out, err } = await runInProcess(ldb, [`--db=${copy.path}`, 'repair']);
    expect({ code, out }).toEqual({ code: 0, out: 'OK\n' });
    expect(err).toMatch(new RegExp(`^Warning: \\S+/${TABLE} was moved to \\S+/lost/${TABLE}: .+\\n$`));
    expect(await runInProcess(ldb, [`--db=${copy.path}`, 'checkconsistency'])).toMatchObject({ code: 0, out: 'OK\n' });
  }
});
