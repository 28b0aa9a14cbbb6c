/** Turns sound files into hostile ones: flipped bits, numbers at the edges of their types, pieces cut, repeated and exchanged. */

import { concatBytes } from '../../../format/base/bytes.ts';
import { setVarint } from '../../../format/base/coding.ts';
import type { Random } from '../../support/random.ts';

/** No input is larger: what a decoder may take for it is reckoned by this. */
export const INPUT_SIZE_MAX = 64 << 10;

/** Where integers of 7, 8, 16, 31, 32, 53, 63 and 64 bits end and begin. */
const EDGES: readonly bigint[] = [7n, 8n, 14n, 16n, 28n, 31n, 32n, 53n, 56n, 63n, 64n]
  .flatMap((bits) => [2n ** bits - 5n, 2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n])
  .concat(0n, 1n);

type Mutation = (bytes: Uint8Array, random: Random, corpus: readonly Uint8Array[]) => Uint8Array;

/** A piece of `bytes` of at most 300 bytes. */
function piece(bytes: Uint8Array, random: Random): { from: number; to: number } {
  const from = random.below(bytes.length + 1);
  return { from, to: Math.min(bytes.length, from + random.below(random.oneIn(4) ? 300 : 12)) };
}

function replaced(bytes: Uint8Array, from: number, to: number, by: Uint8Array): Uint8Array {
  return concatBytes([bytes.subarray(0, from), by, bytes.subarray(to)]);
}

function fixedEdge(random: Random): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, random.pick(EDGES)), true);
  return bytes.subarray(0, random.pick([1, 2, 4, 8]));
}

function varintEdge(random: Random): Uint8Array {
  const value = random.pick(EDGES);
  if (value < 2n ** 53n) {
    const bytes = new Uint8Array(10);
    return bytes.subarray(0, setVarint(bytes, 0, Number(value)));
  }
  const bytes = new Uint8Array(10).fill(0xff);
  bytes[9] = random.pick([0, 1, 2, 0x7f, 0xff]);
  return bytes.subarray(0, random.pick([5, 9, 10]));
}

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => {
    for (let flips = random.between(1, 4); flips > 0 && bytes.length > 0; flips--) {
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    }
    return bytes;
  },
  (bytes, random) => {
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  },
  (bytes, random) => {
    const edge = fixedEdge(random);
    const at = random.below(bytes.length + 1);
    return replaced(bytes, at, Math.min(bytes.length, at + edge.length), edge);
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return replaced(bytes, at, Math.min(bytes.length, at + random.between(0, 3)), varintEdge(random));
  },
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => {
    const { from, to } = piece(bytes, random);
    return replaced(bytes, from, to, new Uint8Array(0));
  },
  (bytes, random) => {
    const { from, to } = piece(bytes, random);
    const at = random.below(bytes.length + 1);
    return replaced(bytes, at, at, bytes.slice(from, to));
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return replaced(bytes, at, at, random.bytes(random.between(1, 20), true));
  },
  (bytes, random, corpus) => {
    const other = random.pick(corpus);
    const { from, to } = piece(bytes, random);
    const theirs = piece(other, random);
    return replaced(bytes, from, to, other.subarray(theirs.from, theirs.to));
  },
  // The end of a block or a table says where everything else is.
  (bytes, random) => {
    if (bytes.length > 0) bytes[bytes.length - 1 - random.below(Math.min(60, bytes.length))] = random.below(256);
    return bytes;
  },
];

/** A hostile input made of one of `corpus`; the caller owns it. One in fifty is noise without any shape. */
export function mutate(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  if (random.oneIn(50)) return random.bytes(random.below(400), true);
  let bytes = new Uint8Array(random.pick(corpus));
  for (let count = random.pick([1, 1, 1, 2, 3, 6]); count > 0; count--) {
    bytes = new Uint8Array(random.pick(MUTATIONS)(bytes, random, corpus));
  }
  return bytes.slice(0, INPUT_SIZE_MAX);
}
