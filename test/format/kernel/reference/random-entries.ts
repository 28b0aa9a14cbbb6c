/** Random keys that are hard on prefixes, and the comparators that the kernel is tested with. */
import {
  bytewiseComparator,
  type Comparator,
  compareBytes,
  reverseBytewiseComparator,
} from '../../../../format/base/comparator.ts';
import type { Kernel } from '../../../../format/kernel/kernel.ts';
import type { Random } from '../../../support/random.ts';

/** Shorter keys first: an order that no prefix tells. */
export const lengthFirstComparator: Comparator = {
  name: 'test.LengthFirst',
  compare: (a, b) => a.length - b.length || compareBytes(a, b),
};

/** All comparators under test with their ids in this thread's kernel. */
export function comparatorsOf(kernel: Kernel): [string, Comparator, number][] {
  return [
    ['bytewise', bytewiseComparator, 0],
    ['reverse bytewise', reverseBytewiseComparator, 1],
    ['a host comparator', lengthFirstComparator, kernel.registerComparator(lengthFirstComparator)],
  ];
}

const PREFIXES = ['', 'user:0000000000', 'user:00000000000000', '\x00\x00\x00', '\xff\xff\xff\xff\xff\xff\xff\xff\xff'];

/** Empty, short, with long shared prefixes, runs of 0x00 and 0xff, now and then some hundred bytes. */
export function randomKey(random: Random): Uint8Array {
  const prefix = Buffer.from(random.pick(PREFIXES), 'latin1');
  const alphabet = random.pick([
    Buffer.from([0, 0xff]),
    Buffer.from('0123456789'),
    Buffer.from([0, 1, 0x7f, 0x80, 0xff]),
  ]);
  const length = random.oneIn(40) ? random.between(100, 400) : random.between(0, 10);
  const rest = Uint8Array.from({ length }, () => alphabet[random.below(alphabet.length)]!);
  return new Uint8Array(Buffer.concat([prefix, rest]));
}

/** Kernel memory for keys and values that calls borrow. */
export class Scratch {
  readonly address: number;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, size = 8192) {
    this.#kernel = kernel;
    this.address = kernel.malloc(size);
  }

  /** Copies bytes to `offset` and returns their address. */
  put(bytes: Uint8Array, offset = 0): number {
    this.#kernel.copyIn(bytes, this.address + offset);
    return this.address + offset;
  }

  free(): void {
    this.#kernel.free(this.address);
  }
}
