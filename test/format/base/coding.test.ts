/** Integers and slices: round trips at the edges, and every way in which bytes can end too early or say too much. */
import { describe, expect, test } from 'vitest';
import { concatBytes, fromHex, latin1, startsWith, strictTextOf, toHex, utf8 } from '../../../format/base/bytes.ts';
import {
  ByteReader,
  ByteWriter,
  getFixed64,
  setFixed64,
  setVarint,
  varintSize,
  zigzagDecode,
  zigzagEncode,
} from '../../../format/base/coding.ts';
import { SENTINEL_SEQUENCE } from '../../../format/base/internal-key.ts';

const edges = [0, 1, 127, 128, 16383, 16384, 2 ** 21 - 1, 2 ** 28, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 35, 2 ** 53 - 1];

describe('coding', () => {
  test('fixed and varint numbers come back, in the sizes announced', () => {
    for (const value of edges) {
      const bytes = new ByteWriter(1).varint(value).fixed64(value).toBytes();
      expect(bytes.length).toBe(varintSize(value) + 8);
      const reader = new ByteReader(bytes, 'x');
      expect(reader.varint64('v')).toBe(value);
      expect(reader.fixed64('f')).toBe(value);
      expect(reader.remaining).toBe(0);
      const raw = new Uint8Array(18);
      expect(setVarint(raw, 0, value)).toBe(varintSize(value));
      setFixed64(raw, 10, value);
      expect(getFixed64(raw, 10)).toBe(value);
      if (value < 2 ** 32) expect(new ByteReader(bytes, 'x').varint32('v')).toBe(value);
    }
  });

  test('known bytes', () => {
    const bytes = new ByteWriter().fixed16(0x1234).fixed32(0xfedcba98).varint(300).lengthPrefixed(utf8('ab')).toBytes();
    expect(toHex(bytes)).toBe(`${'3412'}${'98badcfe'}${'ac02'}${'026162'}`);
    const reader = new ByteReader(bytes, 'x');
    expect(reader.fixed16('a')).toBe(0x1234);
    expect(reader.fixed32('b')).toBe(0xfedcba98);
    expect(reader.varint32('c')).toBe(300);
    expect(toHex(reader.lengthPrefixed('d'))).toBe('6162');
  });

  test('64-bit values beyond doubles', () => {
    const max = 2n ** 64n - 1n;
    const reader = new ByteReader(new ByteWriter().fixed64BigInt(max).varintBigInt(max).toBytes(), 'x');
    expect(reader.fixed64BigInt('a')).toBe(max);
    expect(reader.varint64BigInt('b')).toBe(max);
  });

  test('sequences keep the sentinel exact', () => {
    const bytes = new ByteWriter().sequence(5).sequence(SENTINEL_SEQUENCE).toBytes();
    expect(toHex(bytes)).toBe('05ffffffffffffff7f');
    const reader = new ByteReader(bytes, 'x');
    expect([reader.sequence('a'), reader.sequence('b')]).toEqual([5, SENTINEL_SEQUENCE]);
    const between = new ByteWriter().varintBigInt(2n ** 54n).toBytes();
    expect(() => new ByteReader(between, 'x').sequence('a')).toThrowError(/below 2\^53/);
  });

  test('zigzag', () => {
    expect([0n, -1n, 1n, -2n, 2n].map(zigzagEncode)).toEqual([0n, 1n, 2n, 3n, 4n]);
    for (const value of [0, -1, 1, 63, -64, 64, 2 ** 40, -(2 ** 40)]) {
      expect(zigzagDecode(zigzagEncode(BigInt(value)))).toBe(BigInt(value));
      expect(new ByteReader(new ByteWriter().signedVarint(value).toBytes(), 'x').signedVarint64('v')).toBe(value);
    }
  });

  const short: [string, string, (reader: ByteReader) => unknown, RegExp][] = [
    [
      'an empty varint',
      '',
      (r) => r.varint32('n'),
      /^file: n: expected a varint, found the end after 0 bytes at offset 0$/,
    ],
    ['a cut varint', '8080', (r) => r.varint64('n'), /found the end after 2 bytes/],
    ['a varint32 of 6 bytes', '808080808001', (r) => r.varint32('n'), /at most 5 bytes/],
    ['a varint32 above 32 bits', 'ffffffff7f', (r) => r.varint32('n'), /expected a varint32/],
    ['a varint64 of 11 bytes', `${'80'.repeat(10)}01`, (r) => r.varint64BigInt('n'), /longer number/],
    ['a varint64 above 64 bits', `${'ff'.repeat(9)}7f`, (r) => r.varint64BigInt('n'), /longer number/],
    ['a number above 2^53', 'ffffffffffffff7f', (r) => r.varint64('n'), /below 2\^53/],
    ['a fixed64 above 2^53', 'ff'.repeat(8), (r) => r.fixed64('n'), /below 2\^53/],
    ['a cut fixed32', '010203', (r) => r.fixed32('n'), /expected 4 bytes, found 3/],
    ['a cut slice', '0501', (r) => r.lengthPrefixed('n'), /expected 5 bytes, found 1 at offset 0/],
    ['a huge slice', 'ffffffff0f', (r) => r.lengthPrefixed('n'), /expected 4294967295 bytes/],
    ['no byte', '', (r) => r.uint8('n'), /expected 1 byte/],
  ];
  test.each(short)('%s is corruption', (_, hex, read, message) => {
    expect(() => read(new ByteReader(fromHex(hex), 'file'))).toThrowError(
      expect.objectContaining({ code: 'CORRUPTION', message: expect.stringMatching(message) }),
    );
  });
});

describe('bytes', () => {
  test('text and hex', () => {
    expect(strictTextOf(utf8('pärt'))).toBe('pärt');
    expect(strictTextOf(new Uint8Array([0xff]))).toBeUndefined();
    expect(latin1(new Uint8Array([0, 255]))).toBe('\u0000\u00ff');
    expect(() => fromHex('abc')).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => fromHex('zz')).toThrowError();
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(0x61);
    expect(strictTextOf(shared)).toBe('aa');
  });

  test('joining and prefixes', () => {
    const all = concatBytes([utf8('ab'), utf8(''), utf8('c')]);
    expect(startsWith(all, utf8('ab'))).toBe(true);
    expect(startsWith(all, utf8('abcd'))).toBe(false);
    expect(startsWith(all, utf8('b'))).toBe(false);
  });
});
