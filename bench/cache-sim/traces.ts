/** Traces of accesses: one block id an access, made from a seed or read from a text. */
import { SeededRandom } from '../../src/env/random.ts';

/** Kinds of traces that can be made. */
export const TRACE_KINDS = ['zipf', 'uniform', 'scan-zipf'] as const;

/** A kind of made trace. */
export type TraceKind = (typeof TRACE_KINDS)[number];

/** What is made. */
export interface TraceOptions {
  accesses: number;
  /** Different blocks. */
  blocks: number;
  seed: number;
}

/** Exponent of the zipf distribution, as YCSB has it. */
const ZIPF_EXPONENT = 0.99;
/** `scan-zipf`: a scan passes over this share of all blocks, and scans make this share of the accesses. */
const SCAN_SHARE = 0.25;

/** Draws blocks, the first the most often: block i in proportion to 1 / (i + 1)^0.99. */
function zipfDrawer(blocks: number, random: SeededRandom): () => number {
  const sums = new Float64Array(blocks);
  let sum = 0;
  for (let i = 0; i < blocks; i++) {
    sum += (i + 1) ** -ZIPF_EXPONENT;
    sums[i] = sum;
  }
  return () => {
    const wanted = random.nextFloat() * sum;
    let [low, high] = [0, blocks - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Makes a trace; the same options give the same one on every machine. */
export function makeTrace(kind: TraceKind, { accesses, blocks, seed }: TraceOptions): Float64Array {
  const random = new SeededRandom(seed);
  const trace = new Float64Array(accesses);
  if (kind === 'uniform') return trace.map(() => random.below(blocks));
  const zipf = zipfDrawer(blocks, random);
  if (kind === 'zipf') return trace.map(zipf);
  const scanLength = Math.max(1, Math.floor(blocks * SCAN_SHARE));
  // Scans begin so rarely that their accesses make the share.
  const startChance = SCAN_SHARE / (1 - SCAN_SHARE) / scanLength;
  let [at, left] = [0, 0];
  return trace.map(() => {
    if (left === 0 && random.nextFloat() < startChance) [at, left] = [random.below(blocks), scanLength];
    if (left === 0) return zipf();
    left--;
    return at++ % blocks;
  });
}

/** Reads a trace of one block id a line, a whole number from 0 to 2^53-1; empty lines are passed over. Throws for others. */
export function parseTrace(text: string): Float64Array {
  const ids: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.trim();
    if (word === '') continue;
    const id = Number(word);
    if (!/^\d+$/.test(word) || !Number.isSafeInteger(id)) {
      throw new Error(
        `line ${index + 1} of the trace must be a block id from 0 to 2^53-1, found ${JSON.stringify(word)}`,
      );
    }
    ids.push(id);
  }
  if (ids.length === 0) throw new Error('the trace has no accesses: give one block id a line');
  return Float64Array.from(ids);
}
