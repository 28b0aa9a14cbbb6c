/** The choice of the CRC-32C implementation. Method: random buffers through all of them, and stand-ins for the addon. */
import { afterEach, expect, test, vi } from 'vitest';
import { crc32cOfBytes } from '../../../format/kernel/crc32c-slicing.ts';
import { type Crc32c, crc32c, useCrc32c, wasmCrc32c } from '../../../format/kernel/crc32c-choice.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { ManualClock, SystemClock } from '../../../src/env/clock.ts';
import { availableCrc32c, fastestCrc32c, passesSelfTest, pickCrc32c } from '../../../src/env/pick-crc32c.ts';
import { DB, Env } from '../../../src/index.ts';
import { crc32cReference } from '../../format/kernel/reference/crc32c.ts';
import { Random, seedFor } from '../../support/random.ts';

/** What `@node-rs/crc32` does, without the processor's instruction. */
const addon = { crc32c: (input: Buffer, state = 0) => crc32cOfBytes(state, input, 0, input.length) };

afterEach(() => {
  vi.unstubAllEnvs();
  useCrc32c(wasmCrc32c());
});

test('S47 all implementations are equal on 10^4 random buffers, in one piece and continued', () => {
  const kernel = getKernel();
  const random = new Random(seedFor(47));
  const room = kernel.malloc(8192 + 64);
  const all = [...availableCrc32c(), ...availableCrc32c(addon)];
  expect(new Set(all.map(({ name }) => name))).toEqual(new Set(['wasm', 'javascript', 'native']));
  for (let i = 0; i < 10_000; i++) {
    const size = random.oneIn(10) ? random.below(8192) : random.below(300);
    const at = room + random.below(64);
    const bytes = random.bytes(size);
    kernel.copyIn(bytes, at);
    const cut = random.below(size + 1);
    const expected = size <= 300 ? crc32cReference(bytes) : crc32cOfBytes(0, bytes, 0, size);
    for (const { name, extend } of all) {
      expect(extend(0, at, size) >>> 0, name).toBe(expected);
      expect(extend(extend(0, at, cut), at + cut, size - cut) >>> 0, name).toBe(expected);
    }
  }
  kernel.free(room);
});

test('S47 an addon that is wrong, only at some lengths, or that throws, fails the self-test', () => {
  const verdict = (broken: typeof addon): boolean => passesSelfTest(availableCrc32c(broken)[2]!);
  expect(verdict(addon)).toBe(true);
  expect(verdict({ crc32c: (input, state) => addon.crc32c(input, state) ^ 1 })).toBe(false);
  expect(verdict({ crc32c: (input) => addon.crc32c(input) })).toBe(false);
  expect(verdict({ crc32c: (input, state) => (input.length === 2049 ? 0 : addon.crc32c(input, state)) })).toBe(false);
  const refuses = (): number => {
    throw new TypeError('shared memory');
  };
  expect(verdict({ crc32c: refuses })).toBe(false);
});

test('S47 the fastest is taken, and of equals the first', () => {
  const clock = new ManualClock();
  const taking = (name: Crc32c['name'], ms: number): Crc32c => ({
    name,
    extend() {
      clock.advance(ms);
      return 0;
    },
  });
  const candidates = [taking('wasm', 3), taking('javascript', 2), taking('native', 2)];
  expect(fastestCrc32c(candidates, clock).name).toBe('javascript');
  expect(fastestCrc32c(availableCrc32c(addon), clock).name).toBe('wasm');
});

test('S47 checksum.impl names the choice, an environment variable forces it, and data is the same under each', async () => {
  const env = Env.memory();
  const open = () => DB.open('/db', { createIfMissing: true, env, checksum: 'crc32c', writeBufferSize: 1 << 16 });
  for (const name of ['javascript', 'wasm', 'javascript'] as const) {
    vi.stubEnv('PUMICE_CRC32C', name);
    const db = await open();
    expect(db.getProperty('checksum.impl')).toBe(name);
    expect(crc32c().name).toBe(name);
    for (let i = 0; i < 100; i++) await db.put(`${name} ${i}`, 'v'.repeat(i));
    await db.flush();
    await db.put(`${name} logged`, 'x');
    for (let i = 0; i < 100; i++) expect(db.getSync(`${name} ${i}`)!.length).toBe(i);
    await db.close();
  }
  vi.stubEnv('PUMICE_CRC32C', undefined);
  const db = await open();
  expect(['wasm', 'javascript', 'native']).toContain(db.getProperty('checksum.impl'));
  expect([...db.entriesSync()].length).toBe(202);
  await db.close();
});

test('S47 a forced implementation that is not there is refused in words', async () => {
  vi.stubEnv('PUMICE_CRC32C', 'abacus');
  expect(() => pickCrc32c(new SystemClock())).toThrow(
    /PUMICE_CRC32C is "abacus", but here there are only: wasm, javascript/,
  );
  const opening = DB.open('/never', { createIfMissing: true, env: Env.memory() });
  await expect(opening).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
