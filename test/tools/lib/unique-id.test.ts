/** Unique ids of tables, against those that C++ RocksDB printed and stored for the golden databases. */
import { xxhash128 } from 'hash-wasm';
import { expect, test } from 'vitest';
import { emptyTableProperties } from '../../../format/sst/table-properties.ts';
import { internalUniqueId, publicUniqueIdText, uniqueIdText } from '../../../tools/lib/unique-id.ts';
import { XXH3_128_SIZE_MAX, XXH3_128_SIZE_MIN, xxh3Hash128 } from '../../../tools/lib/xxh3-128.ts';

test('the id of a table is what the MANIFEST stores and the tools show', () => {
  const properties = {
    ...emptyTableProperties(),
    dbId: '7350a8e0-f4f0-48c1-b7ab-e15eb1514a71',
    dbSessionId: 'OH43WF25JTVWHEWYW21G',
    originalFileNumber: 9,
  };
  const id = internalUniqueId(properties);
  expect(id).toEqual({ first: 7221766985025311828n, second: 14482843357348546349n });
  expect(publicUniqueIdText(id!)).toBe('E6393F36771C560B-F7498E3849B3D520');
  expect(uniqueIdText(properties)).toBe('E6393F36771C560B-F7498E3849B3D520');
});

test('a table that does not tell where it comes from has none', () => {
  const whole = {
    ...emptyTableProperties(),
    dbId: 'SST Writer',
    dbSessionId: 'OH43WF25JTVWHEWYW240',
    originalFileNumber: 1,
  };
  expect(uniqueIdText(whole)).toMatch(/^[0-9A-F]{16}-[0-9A-F]{16}$/);
  for (const lack of [{ dbId: '' }, { dbSessionId: '' }, { dbSessionId: 'A'.repeat(25) }, { originalFileNumber: 0 }]) {
    expect(uniqueIdText({ ...whole, ...lack })).toBe('N/A');
  }
  expect(uniqueIdText({ ...whole, dbSessionId: 'not base 36 !!!!!' })).toBe('N/A');
});

test('the hash is XXH3 with 128 bits, for every size it takes', async () => {
  for (let size = XXH3_128_SIZE_MIN; size <= XXH3_128_SIZE_MAX; size++) {
    const input = Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 0xff);
    for (const [seedLow, seedHigh] of [
      [0, 0],
      [1, 0],
      [0xffffffff, 0xffffffff],
      [0x12345678, 0x9abcdef0],
    ] as const) {
      const { high, low } = xxh3Hash128(input, (BigInt(seedHigh) << 32n) | BigInt(seedLow));
      const ours = `${high.toString(16).padStart(16, '0')}${low.toString(16).padStart(16, '0')}`;
      expect(ours, `${size} bytes, seed ${seedHigh}:${seedLow}`).toBe(await xxhash128(input, seedLow, seedHigh));
    }
  }
});
