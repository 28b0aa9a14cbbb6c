/**
 * The truth that a recovered database is held against: every write in the order it was issued, with a fingerprint of
 * the whole state after each. A recovered state must be the state after some write, no earlier than the last one that
 * was promised to survive and no later than the last one issued: a prefix, whole, without a hole.
 */

import { createHash } from 'node:crypto';
import type { DB } from '../../src/index.ts';
import { fromBinary, toBinary } from '../model/key-space.ts';
import { type FamilyView, ModelFamily } from '../model/model-family.ts';
import { applyToModel, describeOperation, type Operation } from '../model/operation.ts';
import type { OptionSet } from '../model/option-sets.ts';

/** A recovered database that breaks a promise. */
export class Violation extends Error {}

/** Order-independent digest of rows; adding a row twice takes it out again. */
class RowSet {
  private low = 0;
  private high = 0;

  toggle(family: string, key: Uint8Array, value: Uint8Array): void {
    const digest = createHash('md5').update(`${family}\n${key.length}\n`).update(key).update(value).digest();
    this.low ^= digest.readInt32LE(0);
    this.high ^= digest.readInt32LE(4);
  }

  get fingerprint(): string {
    return `${this.low >>> 0}.${this.high >>> 0}`;
  }
}

/** Writes in order of issue, and the state after each. */
export class History {
  private readonly optionSet: OptionSet;
  private readonly writes: Operation[][] = [];
  private readonly fingerprints: string[] = [];
  private readonly families: Map<string, ModelFamily>;
  private readonly rows = new RowSet();
  private readonly base: (readonly [string, FamilyView])[];

  /** Starts from nothing, or from the state that another history had after its write number `at`. */
  constructor(optionSet: OptionSet, start?: { history: History; at: number }) {
    this.optionSet = optionSet;
    this.families = start === undefined ? emptyFamilies(optionSet) : start.history.replay(start.at);
    for (const [name, family] of this.families) {
      const view = family.view();
      for (const [index, key] of view.keys.entries()) {
        this.rows.toggle(name, fromBinary(key), view.values[index]!);
      }
    }
    this.base = start === undefined ? [] : [...this.families].map(([name, family]) => [name, family.view()] as const);
    this.fingerprints.push(this.rows.fingerprint);
  }

  /** The number of writes so far; write numbers start at 1, state 0 is the start. */
  get length(): number {
    return this.writes.length;
  }

  /** The fingerprint of the state after write number `at`; 0 is the start. */
  fingerprintAt(at: number): string {
    return this.fingerprints[at]!;
  }

  /** Records the next write (one operation or an atomic batch); gives its number. */
  push(operations: Operation[]): number {
    this.writes.push(operations);
    for (const operation of operations) {
      this.apply(operation);
    }
    this.fingerprints.push(this.rows.fingerprint);
    return this.writes.length;
  }

  /** The number of the state in [least, most] that `found` is. Throws `Violation` where there is none. */
  match(found: string, least: number, most: number, what: string): number {
    for (let at = most; at >= least; at--) {
      if (this.fingerprints[at] === found) {
        return at;
      }
    }
    const elsewhere = this.fingerprints.indexOf(found);
    const problem =
      elsewhere < 0
        ? 'is the state after no write: a hole, a part of a batch, or something deleted that came back'
        : elsewhere < least
          ? `is the state after write ${elsewhere}: acknowledged writes are lost`
          : `is the state after write ${elsewhere}, which was not issued yet`;
    throw new Violation(`${what}: the recovered state ${problem}; it must lie in [${least}, ${most}]`);
  }

  /** The families as they were after write number `at`. */
  replay(at: number): Map<string, ModelFamily> {
    const families = emptyFamilies(this.optionSet);
    for (const [name, view] of this.base) {
      for (const [index, key] of view.keys.entries()) {
        families.get(name)!.put(key, view.values[index]!);
      }
    }
    for (const operation of this.writes.slice(0, at).flat()) {
      applyToModel(families.get(operation.family)!, this.optionSet.families[operation.family]!.merge, operation);
    }
    return families;
  }

  /** A write in words. */
  describe(number: number): string {
    return (this.writes[number - 1] ?? []).map(describeOperation).join('; ');
  }

  private apply(operation: Operation): void {
    const family = this.families.get(operation.family)!;
    const before = family.view();
    const touched = operation.kind === 'deleteRange' ? before.keys : [operation.key];
    this.toggle(operation.family, family, touched);
    applyToModel(family, this.optionSet.families[operation.family]!.merge, operation);
    this.toggle(operation.family, family, touched);
  }

  private toggle(name: string, family: ModelFamily, keys: readonly string[]): void {
    for (const key of keys) {
      const value = family.get(key);
      if (value !== undefined) {
        this.rows.toggle(name, fromBinary(key), value);
      }
    }
  }
}

function emptyFamilies(optionSet: OptionSet): Map<string, ModelFamily> {
  return new Map(Object.entries(optionSet.families).map(([name, { order }]) => [name, new ModelFamily(order)]));
}

/**
 * The fingerprint of an open database, from a forward scan of every family with checksums verified. Families that were
 * not created before the crash count as empty. Throws `Violation` where a backward scan or a get tells another story.
 */
export function fingerprintOf(db: DB, optionSet: OptionSet, existing: readonly string[]): string {
  const rows = new RowSet();
  for (const name of Object.keys(optionSet.families).filter((each) => existing.includes(each))) {
    const family = db.columnFamily(name);
    using cursor = family.newIterator({ verifyChecksums: true });
    const forward: string[] = [];
    for (cursor.seekToFirstSync(); cursor.valid; cursor.nextSync()) {
      rows.toggle(name, cursor.key, cursor.value);
      forward.push(toBinary(cursor.key));
    }
    throwStatus(cursor.status());
    let index = forward.length;
    for (cursor.seekToLastSync(); cursor.valid; cursor.prevSync()) {
      if (toBinary(cursor.key) !== forward[--index]) {
        throw new Violation(`family ${name}: a backward scan meets another key at position ${index}`);
      }
    }
    throwStatus(cursor.status());
    if (index !== 0) {
      throw new Violation(`family ${name}: a backward scan meets ${forward.length - index} keys of ${forward.length}`);
    }
    for (const key of forward.filter((_, position) => position % 7 === 0)) {
      if (family.getSync(fromBinary(key)) === undefined) {
        throw new Violation(`family ${name}: a key that the scan shows is not found by get`);
      }
    }
  }
  return rows.fingerprint;
}

function throwStatus(error: Error | undefined): void {
  if (error !== undefined) {
    throw error;
  }
}
