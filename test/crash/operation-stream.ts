/**
 * The numbered work of a crash run: writes, and between them the calls that make files come and go. The same seed gives
 * the same stream, so the process that dies and the process that judges need to share only numbers.
 */

import { makeKeys, makeValue } from '../model/key-space.ts';
import type { Operation } from '../model/operation.ts';
import type { OptionSet } from '../model/option-sets.ts';
import { uint64 } from '../support/bytes.ts';
import { Random } from '../support/random.ts';

/** One step: an atomic write, or a call that changes no content. */
export type Step =
  | { kind: 'write'; operations: Operation[] }
  | { kind: 'flush' | 'compact' | 'syncWal' | 'reopen' | 'snapshot' };

/** An endless stream of steps. */
export class OperationStream {
  private readonly random: Random;
  private readonly keys: string[];
  private readonly optionSet: OptionSet;
  private readonly names: string[];
  private readonly once: { family: string; key: string }[] = [];
  private uniqueKeys = 0;
  private readonly label: number;

  /** `keyCount` bounds the content; keys of single deletes come on top. */
  constructor(optionSet: OptionSet, seed: number, keyCount = 400) {
    this.random = new Random(seed);
    this.label = seed >>> 0;
    this.optionSet = optionSet;
    this.names = Object.keys(optionSet.families);
    // The pool is that of the option set, not of the seed: later cycles overwrite and delete what earlier ones wrote.
    this.keys = makeKeys(new Random(7), keyCount);
  }

  next(): Step {
    const choice = this.random.below(1000);
    if (choice < 840) {
      return { kind: 'write', operations: [this.draw()] };
    }
    if (choice < 980) {
      const count = this.random.between(2, this.random.oneIn(8) ? 200 : 12);
      return { kind: 'write', operations: Array.from({ length: count }, () => this.draw()) };
    }
    return {
      kind: this.random.pick(['flush', 'flush', 'flush', 'compact', 'syncWal', 'syncWal', 'snapshot', 'reopen']),
    };
  }

  private draw(): Operation {
    const family = this.random.pick(this.names);
    const counts = this.optionSet.families[family]!.counts === true;
    const key = this.random.pick(this.keys);
    const choice = this.random.below(100);
    const value = counts ? uint64(this.random.nextUint32()) : this.value();
    if (choice < 55) {
      return { kind: 'put', family, key, value };
    }
    if (choice < 72) {
      return { kind: 'delete', family, key };
    }
    if (choice < 82) {
      return { kind: 'merge', family, key, value: counts ? value : value.subarray(0, 60) };
    }
    if (choice < 87) {
      return this.drawRange(family);
    }
    return this.drawSingleDelete(family, value);
  }

  private value(): Uint8Array {
    return this.random.oneIn(80) ? this.random.bytes(this.random.between(4000, 60_000), true) : makeValue(this.random);
  }

  private drawRange(family: string): Operation {
    const order = this.optionSet.families[family]!.order;
    const [a, b] = [this.random.pick(this.keys), this.random.pick(this.keys)];
    const [key, end] = order(a, b) <= 0 ? [a, b] : [b, a];
    // Wide ranges would keep the database empty: most are cut to a few keys behind their begin.
    if (this.random.oneIn(12)) {
      return { kind: 'deleteRange', family, key, end };
    }
    const after = this.keys.filter((each) => order(each, key) > 0).sort(order);
    return {
      kind: 'deleteRange',
      family,
      key,
      end: after[Math.min(after.length - 1, this.random.between(0, 5))] ?? key,
    };
  }

  /** A key nobody else uses, put once; later, once, deleted by a single delete. */
  private drawSingleDelete(family: string, value: Uint8Array): Operation {
    if (this.once.length > 0 && this.random.oneIn(2)) {
      const [target] = this.once.splice(this.random.below(this.once.length), 1);
      return { kind: 'singleDelete', ...target! };
    }
    const key = `\x01once/${this.label}/${this.uniqueKeys++}`;
    this.once.push({ family, key });
    return { kind: 'put', family, key, value };
  }
}
