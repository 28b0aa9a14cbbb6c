/** `npm run cache-sim`: hit ratios of the block cache's policies. Method: small seeded traces in the real cache; no times. */
import { describe, expect, test } from 'vitest';
import { measureTrace, ratiosTable } from '../../bench/cache-sim/report.ts';
import { cacheHits, optimumHits } from '../../bench/cache-sim/simulate.ts';
import { makeTrace, parseTrace, TRACE_KINDS } from '../../bench/cache-sim/traces.ts';
import { Random, seedFor } from '../support/random.ts';

const OPTIONS = { accesses: 40_000, blocks: 4000, seed: 92 };

test('S92 cache-sim: s4lru beats lru where scans pass through a zipf load', () => {
  const measured = measureTrace('scan-zipf', makeTrace('scan-zipf', OPTIONS));
  process.stdout.write(`${ratiosTable(measured)}\n`);
  expect(measured).toHaveLength(6);
  for (const { capacityBlocks, lru, s4lru } of measured.slice(0, 5))
    expect(s4lru, `${capacityBlocks}`).toBeGreaterThan(lru);
});

describe('S92 cache-sim: hit ratios grow with the capacity and stay below the optimum', () => {
  test.each(TRACE_KINDS)('%s', (kind) => {
    const measured = measureTrace(kind, makeTrace(kind, OPTIONS));
    for (const policy of ['lru', 's4lru', 'optimum'] as const) {
      const ratios = measured.map((ratio) => ratio[policy]);
      expect(ratios, policy).toEqual(ratios.toSorted((a, b) => a - b));
      expect(ratios.at(-1)!).toBeGreaterThan(ratios[0]!);
    }
    for (const { lru, s4lru, optimum } of measured) expect(Math.max(lru, s4lru)).toBeLessThan(optimum);
  });
});

/** Least recently used, by the order of a Map. */
function lruHits(trace: Float64Array, capacity: number): number {
  const cached = new Map<number, true>();
  let hits = 0;
  for (const id of trace) {
    if (cached.delete(id)) hits++;
    cached.set(id, true);
    if (cached.size > capacity) cached.delete(cached.keys().next().value!);
  }
  return hits;
}

/** The most hits that any choice of evictions gives: tries them all. */
function bestHits(trace: readonly number[], capacity: number, cached: readonly number[] = []): number {
  const [id, ...rest] = trace;
  if (id === undefined) return 0;
  if (cached.includes(id)) return 1 + bestHits(rest, capacity, cached);
  if (cached.length < capacity) return bestHits(rest, capacity, [...cached, id]);
  const choices = cached.map((gone) => [...cached.filter((other) => other !== gone), id]);
  return Math.max(bestHits(rest, capacity, cached), ...choices.map((next) => bestHits(rest, capacity, next)));
}

test('S92 cache-sim: the kernel evicts as a plain LRU list does, and a capacity counts whole blocks', () => {
  const trace = makeTrace('zipf', OPTIONS);
  for (const capacity of [1, 2, 50, 1000]) expect(cacheHits(trace, 'lru', capacity)).toBe(lruHits(trace, capacity));
});

test('S92 cache-sim: the optimum is what trying every eviction gives', () => {
  const random = new Random(seedFor(92));
  for (let round = 0; round < 100; round++) {
    const trace = Array.from({ length: 11 }, () => random.below(5));
    const capacity = 1 + random.below(3);
    expect(optimumHits(Float64Array.from(trace), capacity), `${trace}, ${capacity}`).toBe(bestHits(trace, capacity));
  }
});

test('cache-sim reads a trace of one block id a line and names the line that is none', () => {
  expect([...parseTrace('7\n\n8\r\n7\n')]).toEqual([7, 8, 7]);
  expect(() => parseTrace('7\nx\n')).toThrow(/line 2 .* found "x"/);
  expect(() => parseTrace('\n')).toThrow(/no accesses/);
});
