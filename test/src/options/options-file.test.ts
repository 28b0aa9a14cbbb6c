/**
 * The OPTIONS files that three RocksDB versions wrote must come back byte for byte; every rule about sections must be able
 * to refuse.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../../format/base/bytes.ts';
import { parseNestedOptions, printNestedOptions, splitOptionList } from '../../../src/options/option-value.ts';
import { parseOptionsFile, printOptionsFile } from '../../../src/options/options-file.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

function parse(text: string) {
  return parseOptionsFile(utf8(text), 'OPTIONS-000001');
}

describe('OPTIONS files', () => {
  test('every golden OPTIONS file is read and printed back byte for byte', () => {
    let count = 0;
    for (const name of readdirSync(fixtures)) {
      const db = join(fixtures, name, 'db');
      let files: string[] = [];
      try {
        files = readdirSync(db).filter((file) => /^OPTIONS-\d+$/.test(file));
      } catch {
        continue;
      }
      for (const file of files) {
        const path = join(db, file);
        const content = readFileSync(path);
        expect(new TextDecoder().decode(printOptionsFile(parseOptionsFile(content, path))), path).toBe(
          content.toString(),
        );
        count++;
      }
    }
    expect(count).toBeGreaterThan(90);
  });

  test('families, their tables and their values are found by name', () => {
    const path = join(fixtures, 'column-families/db/OPTIONS-000026');
    const file = parseOptionsFile(readFileSync(path), path);
    expect(file.rocksdbVersion).toBe('7.8.3');
    expect(file.families.map((family) => family.name)).toEqual([
      'default',
      'append-cf',
      'empty-cf',
      'pärt',
      'reverse-cf',
      'zstd-cf',
    ]);
    expect(file.families[4]!.columnFamily.get('comparator')).toBe('rocksdb.ReverseBytewiseComparator');
    expect(file.families[0]!.tableFactory).toBe('BlockBasedTable');
    expect(file.db.get('wal_recovery_mode')).toBe('kPointInTimeRecovery');
  });

  test('the smallest file is two empty sections', () => {
    const file = parse('[DBOptions]\n[CFOptions "default"]\n');
    expect(file.families).toHaveLength(1);
    expect(file.rocksdbVersion).toBe('');
  });

  test('comments and escapes are undone and made again', () => {
    const file = parse('[DBOptions]\n  wal_dir=/a\\#b\\\\c # note\n# all\n[CFOptions "default"]');
    expect(file.db.get('wal_dir')).toBe('/a#b\\c');
    file.db.set('x', 'line\nend\r#');
    const again = parseOptionsFile(
      printOptionsFile({ ...file, rocksdbVersion: '7.8.3', optionsFileVersion: '1.1' }),
      'O',
    );
    expect(again.db.get('wal_dir')).toBe('/a#b\\c');
    expect(again.db.get('x')).toBe('line\nend\r#');
  });

  test('hostile names stay plain keys', () => {
    const file = parse('[DBOptions]\n__proto__=1\nconstructor=2\n[CFOptions "default"]\n[CFOptions "__proto__"]\n');
    expect(file.db.get('__proto__')).toBe('1');
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
    expect(file.families[1]!.name).toBe('__proto__');
  });

  const refused: [string, string, string, RegExp][] = [
    ['an empty file', '', 'CORRUPTION', /must have a single DBOptions section/],
    ['no default family', '[DBOptions]\n', 'CORRUPTION', /must have a single CFOptions:default section/],
    ['two DBOptions', '[DBOptions]\n[DBOptions]\n', 'CORRUPTION', /More than one DBOption section/],
    ['two versions', '[Version]\n[Version]\n', 'CORRUPTION', /More than one Version section/],
    ['another family first', '[DBOptions]\n[CFOptions "a"]\n', 'CORRUPTION', /Default column family must be the first/],
    ['a family twice', '[CFOptions "default"]\n[CFOptions "default"]', 'CORRUPTION', /Two identical column families/],
    [
      'a table of no family',
      '[TableOptions/BlockBasedTable "x"]',
      'CORRUPTION',
      /Does not find a matched column family/,
    ],
    [
      'a table twice',
      '[CFOptions "default"]\n[TableOptions/B "default"]\n[TableOptions/B "default"]',
      'CORRUPTION',
      /More than one/,
    ],
    ['an open bracket', '[DBOptions\n', 'INVALID_ARGUMENT', /bracket/],
    ['no equals sign', '[DBOptions]\nfoo\n', 'INVALID_ARGUMENT', /must have a '='/],
    ['no name', '[DBOptions]\n=1\n', 'INVALID_ARGUMENT', /variable name/],
    ['a statement before sections', 'a=1\n', 'INVALID_ARGUMENT', /in a section/],
    ['an unknown section', '[Other]\n', 'INVALID_ARGUMENT', /Unknown section/],
    ['a version of letters', '[Version]\nrocksdb_version=x\n', 'INVALID_ARGUMENT', /digits and dots/],
    ['version 0', '[Version]\noptions_file_version=0.9\n', 'INVALID_ARGUMENT', />= 1/],
  ];
  test.each(refused)('refuses %s', (_, text, code, message) => {
    expect(() => parse(text)).toThrowError(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  test('refuses bytes that are no UTF-8', () => {
    expect(() => parseOptionsFile(new Uint8Array([0x5b, 0xff]), 'O')).toThrowError(/UTF-8/);
  });
});

describe('nested options', () => {
  test('are split at their own level only', () => {
    const options = parseNestedOptions('{a=1; b={c=2;d={e=3;};};f=x;}', 'o');
    expect([...options]).toEqual([
      ['a', '1'],
      ['b', '{c=2;d={e=3;};}'],
      ['f', 'x'],
    ]);
    expect([...parseNestedOptions(options.get('b')!, 'o').keys()]).toEqual(['c', 'd']);
    expect(printNestedOptions(new Map([['a', '1']]))).toBe('{a=1;}');
    expect([...parseNestedOptions('a=1;b=2', 'o')]).toHaveLength(2);
  });

  test('refuse braces that do not match', () => {
    expect(() => parseNestedOptions('{a={1;}', 'o')).toThrowError(/Mismatched/);
    expect(() => parseNestedOptions('a', 'o')).toThrowError(/'=' expected/);
    expect(() => splitOptionList('{a:b', 'o')).toThrowError(/Mismatched/);
  });

  test('lists split at colons outside braces', () => {
    expect(splitOptionList('kA:{id=b:10;}:kC', 'o')).toEqual(['kA', '{id=b:10;}', 'kC']);
    expect(splitOptionList('', 'o')).toEqual([]);
  });
});
