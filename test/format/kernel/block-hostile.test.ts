/**
 * Blocks with damaged bytes: nothing is read beyond the block that changes an answer, nothing is written outside, every
 * walk ends. Each case runs twice between different surroundings, and must answer the same. PUMICE_SEED picks other cases,
 * PUMICE_FUZZ_ROUNDS more of them.
 */
import { afterAll, expect, test } from 'vitest';
import { bytewiseComparator, reverseBytewiseComparator } from '../../../format/base/comparator.ts';
import { makeInternalKey, userKeyOf } from '../../../format/base/internal-key.ts';
import { BlockCursorField, BlockFlags, GET_RESULT_SIZE, GetResultField } from '../../../format/kernel/abi/block.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';
import { randomEntries, randomUserKey, readCursor, Scratch } from './block-fixture.ts';
import { encodeBlock, encodeIndex, varint } from './reference/block-reference.ts';

const kernel = getKernel();
const x = kernel.x;
const scratch = new Scratch();
const ROUNDS = Number(process.env.PUMICE_FUZZ_ROUNDS ?? 1500);
const MARGIN = 4096;
const AREA = 65536;
const area = scratch.room(AREA);
const result = scratch.room(GET_RESULT_SIZE);
const cursor = x.blockCursorCreate();
afterAll(() => {
  x.blockCursorDestroy(cursor);
  scratch.clear();
});

/** One reading of a block: what is asked of it. */
interface Case {
  block: Uint8Array;
  flags: number;
  comparator: number;
  target: Uint8Array;
}

/** Everything the kernel says about a block, as text. */
function answers(hostile: Case, address: number): string[] {
  const { block, flags, comparator, target } = hostile;
  const lines: string[] = [];
  const targetAt = kernel.malloc(target.length + 16);
  kernel.u8.set(target, targetAt);
  lines.push(`init ${x.blockCursorInit(cursor, address, block.length, flags, comparator, 77)}`);
  const line = (): string => {
    const text = readCursor(cursor);
    if (text === 'end' || text === 'corrupt') return text;
    const value = kernel.u32[(cursor + 16) >>> 2]!;
    const valueEnd = value + kernel.u32[(cursor + 20) >>> 2]!;
    if (value < address || valueEnd > address + block.length) return 'VALUE OUTSIDE';
    const handle = [BlockCursorField.handleOffset, BlockCursorField.handleSize].map(
      (f) => kernel.f64[(cursor + f) >>> 3],
    );
    return flags & BlockFlags.handles ? `${text} ${handle}` : text;
  };
  const walk = (start: () => void, step: () => void): void => {
    start();
    for (let steps = 0; ; steps++) {
      if (steps > block.length) lines.push('ENDLESS');
      lines.push(line());
      if (steps > block.length || lines.at(-1) === 'end' || lines.at(-1) === 'corrupt') return;
      step();
    }
  };
  walk(
    () => x.blockCursorSeekToFirst(cursor),
    () => x.blockCursorNext(cursor),
  );
  x.blockCursorInit(cursor, address, block.length, flags, comparator, 77);
  walk(
    () => x.blockCursorSeekToLast(cursor),
    () => x.blockCursorPrev(cursor),
  );
  for (const seek of [x.blockCursorSeek, x.blockCursorSeekForPrev]) {
    x.blockCursorInit(cursor, address, block.length, flags, comparator, 77);
    seek(cursor, targetAt, target.length);
    lines.push(line());
  }
  if (flags & BlockFlags.internalKeys) {
    const status = x.blockGet(address, block.length, flags, comparator, 77, targetAt, target.length - 8, 250, result);
    lines.push(`get ${status}`);
    if (status === 1) {
      const value = kernel.u32[(result + GetResultField.value) >>> 2]!;
      const size = kernel.u32[(result + GetResultField.valueSize) >>> 2]!;
      const inside = value >= address && value + size <= address + block.length;
      lines.push(inside ? `${value - address} ${size} ${kernel.f64[(result + 16) >>> 3]}` : 'VALUE OUTSIDE');
    }
  }
  kernel.free(targetAt);
  return lines;
}

/** The answers between surroundings of one byte, which must stay as they were. */
function between(hostile: Case, poison: number): string[] {
  const surroundings = kernel.u8.subarray(area, area + AREA);
  surroundings.fill(poison);
  surroundings.set(hostile.block, MARGIN);
  const lines = answers(hostile, area + MARGIN);
  const expected = Buffer.alloc(AREA, poison);
  expected.set(hostile.block, MARGIN);
  if (Buffer.compare(expected, surroundings) !== 0) lines.push('WROTE OUTSIDE');
  return lines;
}

function check(hostile: Case): string[] {
  const first = between(hostile, 0xff);
  for (const poison of [0x00, 0x01]) expect(between(hostile, poison)).toEqual(first);
  expect(first.filter((text) => /OUTSIDE|ENDLESS|corrupt and valid/.test(text))).toEqual([]);
  return first;
}

function damage(random: Random, block: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(block);
  const kind = random.below(6);
  if (kind === 0) return bytes.slice(0, random.below(bytes.length + 1));
  if (kind === 1) return random.bytes(random.below(80));
  if (kind === 2) {
    const longest = [0xff, 0xff, 0xff, 0xff, 0x0f];
    const at = random.below(Math.max(1, bytes.length - 5));
    bytes.set(longest.slice(0, Math.min(5, bytes.length - at)), at);
    return bytes;
  }
  if (kind === 3) {
    // The footer and the restart points decide where everything else is taken to be.
    for (let i = 0; i < 3; i++) bytes[Math.max(0, bytes.length - 1 - random.below(24))] = random.below(256);
    return bytes;
  }
  for (let flips = random.between(1, 4); flips > 0 && bytes.length > 0; flips--) {
    const at = random.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << random.below(8));
  }
  return bytes;
}

test('R9 damaged data blocks', () => {
  const random = new Random(seedFor(2024));
  let corrupt = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const order = random.pick([bytewiseComparator, reverseBytewiseComparator]);
    const entries = randomEntries(random, random.below(25), order);
    const hash = random.oneIn(2) ? { utilRatio: 0.75 } : {};
    const block = encodeBlock(entries, { restartInterval: random.pick([1, 2, 16]), ...hash });
    if (block.length > AREA - 2 * MARGIN) continue;
    const userKey = entries.length > 0 ? userKeyOf(random.pick(entries).key) : randomUserKey(random);
    let flags = BlockFlags.internalKeys | (random.oneIn(4) ? 0 : BlockFlags.dataBlock);
    if (random.oneIn(5)) flags |= BlockFlags.globalSequence;
    const lines = check({
      block: damage(random, block),
      flags,
      comparator: order === bytewiseComparator ? 0 : 1,
      target: makeInternalKey(userKey, 300, 0x18),
    });
    if (lines.includes('corrupt') || lines.includes('get -1')) corrupt++;
  }
  // The damage is felt: otherwise this test looks at nothing.
  expect(corrupt).toBeGreaterThan(ROUNDS / 5);
});

test('R9 damaged index blocks', () => {
  const random = new Random(seedFor(2025));
  let corrupt = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const delta = random.oneIn(2);
    const firstKeys = random.oneIn(2);
    const keys = new Set(
      Array.from({ length: random.below(20) }, () => Buffer.from(randomUserKey(random)).toString('hex')),
    );
    const entries = [...keys].sort().map((key, i) => ({
      key: new Uint8Array(Buffer.from(key, 'hex')),
      offset: i * 4101,
      size: 4096,
      ...(firstKeys ? { firstKey: utf8('first---trailer-') } : {}),
    }));
    const block = encodeIndex(entries, random.pick([1, 4, 16]), delta);
    if (block.length > AREA - 2 * MARGIN) continue;
    let flags = BlockFlags.userKeys | BlockFlags.handles;
    if (delta) flags |= BlockFlags.deltaValues;
    if (firstKeys) flags |= BlockFlags.firstKeys;
    const target = makeInternalKey(randomUserKey(random), 5, 1);
    if (check({ block: damage(random, block), flags, comparator: 0, target }).includes('corrupt')) corrupt++;
  }
  expect(corrupt).toBeGreaterThan(ROUNDS / 5);
});

test('every single bit of a small block, and every length of it', () => {
  const entries = ['', 'a', 'ab', 'b'].map((name, i) => ({
    key: makeInternalKey(utf8(name), 9 - i, 1),
    value: utf8('v'),
  }));
  const block = encodeBlock(entries, { restartInterval: 2, utilRatio: 0.75 });
  const flags = BlockFlags.internalKeys | BlockFlags.dataBlock;
  const target = makeInternalKey(utf8('ab'), 9, 1);
  for (let bit = 0; bit < block.length * 8; bit++) {
    const damaged = new Uint8Array(block);
    damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
    check({ block: damaged, flags, comparator: 0, target });
  }
  for (let size = 0; size < block.length; size++) check({ block: block.slice(0, size), flags, comparator: 0, target });
});

test.each([
  ['a shared length at a restart point', [1, 9, 0]],
  ['a key that passes the end', [0, ...varint(2 ** 31), 0]],
  ['a value that passes the end', [0, 9, ...varint(2 ** 32 - 1)]],
  ['lengths whose sum overflows', [0, ...varint(2 ** 32 - 1), ...varint(2 ** 32 - 1)]],
  ['a varint of six bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0]],
  ['a key without a trailer', [0, 7, 2]],
])('%s is corrupt', (_name, header) => {
  const block = new Uint8Array([...header, ...utf8('123456789'), 0, 0, 0, 0, 1, 0, 0, 0]);
  const target = makeInternalKey(utf8('1'), 1, 1);
  const lines = check({ block, flags: BlockFlags.internalKeys, comparator: 0, target });
  expect(lines.slice(0, 2)).toEqual(['init 1', 'corrupt']);
});

test.each([
  ['no restart points', '0000000000000000'],
  ['more restart points than bytes', '00000000ffffff0f'],
  ['a first restart point behind the first entry', '0300000001000000'],
  ['seven bytes', '00000001000000'],
  ['nothing', ''],
  ['a hash index without buckets', '00000000000001000080'],
  ['a hash index larger than the block', '00000000ffff01000080'],
])('a footer with %s is refused', (_name, text) => {
  const block = new Uint8Array(Buffer.from(text, 'hex'));
  const flags = BlockFlags.internalKeys | BlockFlags.dataBlock;
  const lines = check({ block, flags, comparator: 0, target: makeInternalKey(utf8('1'), 1, 1) });
  expect(lines[0]).toBe('init 0');
  expect(lines.at(-1)).toBe('get -1');
});
