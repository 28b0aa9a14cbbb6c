/**
 * The keys and values of a model run: a pool small enough that keys are met again and again, with the shapes that
 * break engines among them (empty, zero bytes, 0xff runs, long shared prefixes, one key a prefix of the next).
 */

import type { Random } from '../support/random.ts';

/** The bytes of a binary string. */
export function fromBinary(key: string): Uint8Array {
  const bytes = new Uint8Array(key.length);
  for (let i = 0; i < key.length; i++) {
    bytes[i] = key.charCodeAt(i);
  }
  return bytes;
}

/** Bytes as a binary string. */
export function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Keys that only ever see a put, then one single delete, in turns: RocksDB leaves every other use undefined. */
const SINGLE_DELETE_PREFIX = 'sd/';

/** True for the keys that single deletes may name. */
export function isSingleDeleteKey(key: string): boolean {
  return key.startsWith(SINGLE_DELETE_PREFIX);
}

/** A fixed pool of different keys. */
export function makeKeys(random: Random, count: number): string[] {
  const keys = new Set<string>([
    '',
    '\x00',
    '\x00\x00',
    '\xff',
    '\xff\xff\xff\xff',
    'a',
    'ab',
    'abc',
    'abcdefgh',
    'abcdefghi',
  ]);
  keys.add('long'.padEnd(300, '.'));
  for (let i = 0; keys.size < count; i++) {
    switch (random.below(6)) {
      case 0:
        keys.add(`user:${String(random.below(10000)).padStart(6, '0')}`);
        break;
      case 1:
        keys.add(toBinary(random.bytes(random.between(1, 12))));
        break;
      case 2:
        keys.add(`a/long/shared/prefix/of/many/keys/${String.fromCharCode(random.below(256))}${i}`);
        break;
      case 3:
        keys.add(`${SINGLE_DELETE_PREFIX}${i}`);
        break;
      default:
        keys.add(`key${String(random.below(100000)).padStart(8, '0')}`);
    }
  }
  return [...keys];
}

/** A value: mostly short, at times empty, at times larger than a block. */
export function makeValue(random: Random): Uint8Array {
  if (random.oneIn(12)) {
    return new Uint8Array(0);
  }
  return random.bytes(random.oneIn(60) ? random.between(1000, 9000) : random.between(1, 120), true);
}
