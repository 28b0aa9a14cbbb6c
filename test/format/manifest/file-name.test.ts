/** Names of files: exactly the database's own, and CURRENT's content: exactly a MANIFEST's name. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../../format/base/bytes.ts';
import { decodeCurrent, encodeCurrent } from '../../../format/manifest/current-file.ts';
import * as names from '../../../format/manifest/file-name.ts';

const { parseFileName } = names;

describe('file names', () => {
  test('what is printed is parsed', () => {
    for (const number of [1, 5, 999_999, 1_000_000, 2 ** 53 - 1]) {
      const kinds: [string, string][] = [
        [names.tableFileName(number), 'table'],
        [names.levelDbTableFileName(number), 'table'],
        [names.walFileName(number), 'wal'],
        [names.manifestFileName(number), 'manifest'],
        [names.optionsFileName(number), 'options'],
        [names.optionsTempFileName(number), 'optionsTemp'],
        [names.tempFileName(number), 'temp'],
        [names.blobFileName(number), 'blob'],
        [names.oldInfoLogFileName(number), 'infoLog'],
      ];
      for (const [name, kind] of kinds) expect(parseFileName(name)).toEqual({ kind, number, name });
    }
    expect(names.tableFileName(9)).toBe('000009.sst');
    expect(names.manifestFileName(5)).toBe('MANIFEST-000005');
  });

  test('names without a number, and other counts of digits', () => {
    expect(['CURRENT', 'IDENTITY', 'LOCK', 'LOG'].map((name) => parseFileName(name)?.kind)).toEqual([
      'current',
      'identity',
      'lock',
      'infoLog',
    ]);
    expect(parseFileName('7.sst')?.number).toBe(7);
    expect(parseFileName('MANIFEST-0000000012')?.number).toBe(12);
  });

  test.each([
    '',
    '.',
    '..',
    '../000001.sst',
    '000001.sst/',
    '/000001.sst',
    '000001.SST',
    '000001.sst\n',
    ' 000001.sst',
    '-1.sst',
    '+1.log',
    '1e3.log',
    '0x10.log',
    '.sst',
    'MANIFEST',
    'MANIFEST-',
    'MANIFEST-5x',
    'MANIFEST-../5',
    'manifest-000005',
    'OPTIONS-5.tmp',
    'LOG.old.',
    'LOG.old.x',
    'CURRENT.bak',
    '000000.sst',
    '99999999999999999999.log',
    '００１.log',
    '000001.sst\0',
    'archive',
    'lost',
    '000001.sst.trash',
    '__proto__',
    'METADB-5',
    'SESSION_ID',
  ])('is not ours: %j', (name) => {
    expect(parseFileName(name)).toBeUndefined();
  });
});

describe('CURRENT', () => {
  test('is written and read', () => {
    expect(new TextDecoder().decode(encodeCurrent(5))).toBe('MANIFEST-000005\n');
    expect(decodeCurrent(encodeCurrent(5), 'CURRENT')).toEqual({ name: 'MANIFEST-000005', number: 5 });
    expect(decodeCurrent(utf8('MANIFEST-7\n'), 'CURRENT')).toEqual({ name: 'MANIFEST-7', number: 7 });
  });

  test.each([
    '',
    '\n',
    'MANIFEST-000005',
    'MANIFEST-000005\n\n',
    'MANIFEST-000005\r\n',
    '../MANIFEST-000005\n',
    '/etc/passwd\n',
    'MANIFEST-../../x\n',
    '000005.sst\n',
    'CURRENT\n',
    ' MANIFEST-000005\n',
    'MANIFEST-000005\0\n',
    'MANIFEST-000005\nx\n',
    `MANIFEST-${'9'.repeat(400)}\n`,
    `MANIFEST-${'0'.repeat(400)}5\n`,
  ])('refuses %j', (content) => {
    expect(() => decodeCurrent(utf8(content), 'db/CURRENT')).toThrowError(
      expect.objectContaining({ code: 'CORRUPTION', message: expect.stringMatching(/^db\/CURRENT: CURRENT file/) }),
    );
  });

  test('refuses bytes that are no text', () => {
    expect(() => decodeCurrent(new Uint8Array([0xff, 0x0a]), 'CURRENT')).toThrowError();
  });
});
