/** Clocks, chance and the rate limiter. */
import { expect, test } from 'vitest';
import { ManualClock, sleep, SystemClock } from '../../../src/env/clock.ts';
import { randomUuid, SeededRandom, SystemRandom } from '../../../src/env/random.ts';
import { RateLimiter } from '../../../src/env/rate-limiter.ts';

test('the system clock counts whole microseconds near Date.now, forward', () => {
  const clock = new SystemClock();
  let last = 0;
  for (let i = 0; i < 1000; i++) {
    const now = clock.nowMicros();
    expect(Number.isSafeInteger(now)).toBe(true);
    expect(now).toBeGreaterThanOrEqual(last - 3000);
    last = now;
  }
  expect(Math.abs(last / 1000 - Date.now())).toBeLessThan(100);
});

test('a system timer fires, a cancelled one does not, and sleepSync blocks', async () => {
  const clock = new SystemClock();
  let fired = 0;
  clock.setTimer(1, () => fired++).cancel();
  const start = clock.monotonicMicros();
  clock.sleepSync(5);
  expect(clock.monotonicMicros() - start).toBeGreaterThanOrEqual(4000);
  // The engine's timers keep no process alive; this one keeps the test waiting.
  const alive = setInterval(() => {}, 1000);
  await sleep(clock, 2);
  clearInterval(alive);
  expect(fired).toBe(0);
});

test('a manual clock fires timers in order of their time, also those set by timers', () => {
  const clock = new ManualClock(1_000_000);
  const fired: string[] = [];
  const note = (name: string) => () => void fired.push(`${name}@${clock.monotonicMicros() / 1000}`);
  clock.setTimer(20, note('c'));
  clock.setTimer(10, note('a'));
  clock.setTimer(10, note('b'));
  const cancelled = clock.setTimer(15, note('never'));
  clock.setTimer(12, () => clock.setTimer(3, note('inner')));
  cancelled.cancel();
  clock.advance(19);
  expect(fired).toEqual(['a@10', 'b@10', 'inner@15']);
  expect(clock.pendingTimers).toBe(1);
  clock.advance(1);
  expect(fired.at(-1)).toBe('c@20');
  expect(clock.nowMicros()).toBe(1_020_000);
  expect(clock.nowMillis()).toBe(1020);
});

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number) => {
    const rng = new SeededRandom(seed);
    return Array.from({ length: 50 }, () => rng.nextUint32());
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  expect(draw(2 ** 40)).not.toEqual(draw(2 ** 41));
  // Pinned: recorded seeds must mean the same run in every later version.
  expect(draw(42).slice(0, 3)).toMatchInlineSnapshot(`
    [
      3893884377,
      145076852,
      3246010591,
    ]
  `);
});

test.each([new SeededRandom(9), new SystemRandom()])('draws are uniform enough', (rng) => {
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 20_000; i++) counts[rng.below(10)]!++;
  expect(Math.min(...counts)).toBeGreaterThan(1700);
  expect(Math.max(...counts)).toBeLessThan(2300);
  for (let i = 0; i < 1000; i++) {
    const float = rng.nextFloat();
    expect(float >= 0 && float < 1).toBe(true);
    const large = rng.below(2 ** 50);
    expect(Number.isSafeInteger(large) && large >= 0 && large < 2 ** 50).toBe(true);
  }
  const bytes = new Uint8Array(1000);
  rng.fill(bytes);
  expect(new Set(bytes).size).toBeGreaterThan(200);
});

test('a UUID has version 4 in its text form', () => {
  const uuids = new Set(Array.from({ length: 100 }, () => randomUuid(new SystemRandom())));
  expect(uuids.size).toBe(100);
  for (const uuid of uuids)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

/** Lets promises that are ready go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

test('the rate limiter lets a burst pass, then the rate', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ bytesPerSecond: 1000, clock });
  const passed: number[] = [];
  const ask = (i: number) => void limiter.request(100).then(() => passed.push(i));
  for (let i = 0; i < 12; i++) ask(i);
  await settle();
  expect(passed).toEqual([0]);
  for (let elapsed = 0; elapsed < 1000; elapsed += 10) {
    clock.advance(10);
    await settle();
  }
  expect(passed.length).toBeGreaterThanOrEqual(10);
  expect(passed.length).toBeLessThanOrEqual(12);
  expect(passed).toEqual([...passed].sort((a, b) => a - b));
  expect(limiter.totalBytesThrough).toBe(passed.length * 100);
});

test('a request larger than the burst passes, and who comes after pays for it', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ bytesPerSecond: 1000, clock });
  await limiter.request(2000);
  let passed = false;
  void limiter.request(1).then(() => (passed = true));
  clock.advance(1800);
  await settle();
  expect(passed).toBe(false);
  clock.advance(200);
  await settle();
  expect(passed).toBe(true);
});

test('flushes go before compactions', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ bytesPerSecond: 1000, clock });
  await limiter.request(500);
  const order: string[] = [];
  void limiter.request(100, 'low').then(() => order.push('compaction'));
  void limiter.request(100, 'high').then(() => order.push('flush'));
  for (let i = 0; i < 10; i++) {
    clock.advance(100);
    await settle();
  }
  expect(order).toEqual(['flush', 'compaction']);
});

test('the blocking form waits on the clock, and a new rate holds at once', () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ bytesPerSecond: 1000, clock });
  for (let i = 0; i < 11; i++) limiter.requestSync(100);
  expect(clock.monotonicMicros() / 1000).toBeGreaterThanOrEqual(900);
  expect(clock.monotonicMicros() / 1000).toBeLessThanOrEqual(1100);
  const before = clock.monotonicMicros();
  limiter.bytesPerSecond = 100_000;
  for (let i = 0; i < 200; i++) limiter.requestSync(100);
  expect((clock.monotonicMicros() - before) / 1000).toBeLessThanOrEqual(250);
  expect(() => (limiter.bytesPerSecond = 0)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
