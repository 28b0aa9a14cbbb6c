/**
 * How the keys of a model, which are text in ASCII order, are stored under different comparators: the same history then
 * must give the same reads under each of them.
 */
import { bytewiseComparator, type Comparator, reverseBytewiseComparator } from '../../format/base/comparator.ts';
import { getKernel } from '../../format/kernel/kernel.ts';

/** Keys of one comparator. */
export interface KeySpace {
  readonly comparator: Comparator;
  /** The comparator's id in this thread's kernel. */
  readonly comparatorId: number;
  encode(key: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Text as it is. */
export const plainKeys: KeySpace = {
  comparator: bytewiseComparator,
  comparatorId: 0,
  encode: (key) => utf8.encode(key),
  decode: (bytes) => text.decode(bytes),
};

/** Every byte inverted: for keys of one length the reverse order is the text's. */
export const reverseKeys: KeySpace = {
  comparator: reverseBytewiseComparator,
  comparatorId: 1,
  encode: (key) => utf8.encode(key).map((byte) => 255 - byte),
  decode: (bytes) => text.decode(bytes.map((byte) => 255 - byte)),
};

/** A comparator in JavaScript that ignores case; equal keys come in changing cases, so with different bytes. */
export function caselessKeys(): KeySpace {
  const decode = (bytes: Uint8Array) => text.decode(bytes.slice()).toLowerCase();
  const comparator: Comparator = {
    name: 'test.caseless',
    compare: (a, b) => bytewiseComparator.compare(utf8.encode(decode(a)), utf8.encode(decode(b))),
  };
  let turn = 0;
  return {
    comparator,
    comparatorId: getKernel().registerComparator(comparator),
    encode: (key) => utf8.encode(turn++ % 3 === 0 ? key.toUpperCase() : key),
    decode,
  };
}
