/**
 * One seeded run of random operations on a database and on its model. Everything random comes from the seed, so the
 * same seed, option set and count repeat the run exactly.
 */

import { type ColumnFamily, DB, type Env, type Snapshot, WriteBatch } from '../../src/index.ts';
import { Random } from '../support/random.ts';
import { uint64 } from '../support/bytes.ts';
import { Disagreement, PairedIterator } from './iterator-walk.ts';
import { fromBinary, isSingleDeleteKey, makeKeys, makeValue } from './key-space.ts';
import { type FamilyView, ModelFamily, valueIn } from './model-family.ts';
import { addToBatch, applyToModel, describeOperation, type Operation } from './operation.ts';
import { type OptionSet, openOptions } from './option-sets.ts';

/** What to run and where. */
export interface ModelRunOptions {
  optionSet: OptionSet;
  seed: number;
  /** How many operations: writes, reads and single iterator moves each count as one. */
  operations: number;
  path: string;
  env?: Env;
  keyCount?: number;
}

interface HeldSnapshot {
  snapshot: Snapshot;
  views: Map<string, FamilyView>;
}

/** A run in progress. */
export class ModelRun {
  /** Operations done so far. */
  operations = 0;
  private readonly options: ModelRunOptions;
  private readonly random: Random;
  private readonly keys: string[];
  private readonly model = new Map<string, ModelFamily>();
  private readonly names: string[];
  private readonly snapshots: HeldSnapshot[] = [];
  private readonly iterators: PairedIterator[] = [];
  /** Keys that a single delete may name now: put exactly once since they were last absent, and nothing else. */
  private readonly putOnce = new Set<string>();
  private readonly tainted = new Set<string>();
  private readonly recent: string[] = [];
  private db: DB | undefined;

  constructor(options: ModelRunOptions) {
    this.options = options;
    this.random = new Random(options.seed);
    this.keys = makeKeys(this.random, options.keyCount ?? 600);
    this.names = Object.keys(options.optionSet.families);
    for (const name of this.names) {
      this.model.set(name, new ModelFamily(options.optionSet.families[name]!.order));
    }
  }

  /** Runs to the end and closes the database; gives each family's final content. */
  async run(): Promise<Map<string, FamilyView>> {
    try {
      await this.open();
      while (this.operations < this.options.operations) {
        await this.step();
      }
      await this.verifyAll();
      await this.close();
    } catch (error) {
      await this.abandon();
      throw new Error(this.failure(error), { cause: error });
    }
    return new Map(this.names.map((name) => [name, this.familyModel(name).view()]));
  }

  private async open(): Promise<void> {
    const { optionSet, path, env } = this.options;
    this.db = await DB.open(path, openOptions(optionSet, env === undefined ? {} : { env }));
  }

  private async close(): Promise<void> {
    this.releaseHeld();
    await this.db?.close();
    this.db = undefined;
  }

  private async abandon(): Promise<void> {
    try {
      await this.close();
    } catch {
      // The first failure is the one to report; closing after it may fail for the same reason.
    }
  }

  private releaseHeld(): void {
    for (const iterator of this.iterators.splice(0)) {
      iterator.close();
    }
    for (const held of this.snapshots.splice(0)) {
      held.snapshot.release();
    }
  }

  private async step(): Promise<void> {
    const choice = this.random.below(1000);
    if (choice < 420) {
      await this.writeOne();
    } else if (choice < 500) {
      await this.writeBatch();
    } else if (choice < 760) {
      await this.getOne();
    } else if (choice < 800) {
      await this.getMany();
    } else if (choice < 930) {
      await this.walkIterator();
    } else if (choice < 960) {
      this.holdSnapshot();
    } else if (choice < 985) {
      this.dropHeld();
    } else if (choice < 992) {
      await this.maintain();
    } else if (this.random.oneIn(40)) {
      this.note('reopen');
      await this.close();
      await this.open();
      await this.verifyAll();
    }
  }

  private async writeOne(): Promise<void> {
    const operation = this.draw();
    this.note(describeOperation(operation));
    const family = this.family(operation.family);
    const key = fromBinary(operation.key);
    const sync = this.random.oneIn(200);
    const asynchronous = this.random.oneIn(6);
    const options = { sync };
    switch (operation.kind) {
      case 'put':
        await (asynchronous
          ? family.put(key, operation.value, options)
          : family.putSync(key, operation.value, options));
        break;
      case 'delete':
        await (asynchronous ? family.delete(key, options) : family.deleteSync(key, options));
        break;
      case 'singleDelete':
        await (asynchronous ? family.singleDelete(key, options) : family.singleDeleteSync(key, options));
        break;
      case 'deleteRange': {
        const end = fromBinary(operation.end);
        await (asynchronous ? family.deleteRange(key, end, options) : family.deleteRangeSync(key, end, options));
        break;
      }
      case 'merge':
        await (asynchronous
          ? family.merge(key, operation.value, options)
          : family.mergeSync(key, operation.value, options));
        break;
    }
    this.apply(operation);
  }

  private async writeBatch(): Promise<void> {
    const batch = new WriteBatch();
    const operations: Operation[] = [];
    for (let i = this.random.between(1, this.random.oneIn(10) ? 60 : 8); i > 0; i--) {
      const operation = this.draw();
      // Drawn against the state that the batch's earlier writes make, so that single deletes stay legal inside it.
      operations.push(operation);
      this.apply(operation);
      addToBatch(batch, operation);
    }
    this.note(`batch [${operations.map(describeOperation).join('; ')}]`);
    await (this.random.oneIn(2) ? this.database().write(batch) : this.database().writeSync(batch));
  }

  private draw(): Operation {
    const family = this.random.pick(this.names);
    const counts = this.options.optionSet.families[family]!.counts === true;
    const key = this.random.pick(this.keys);
    const value = counts ? uint64(this.random.nextUint32()) : makeValue(this.random);
    if (isSingleDeleteKey(key)) {
      return this.drawForSingleDelete(family, key, value);
    }
    const kind = this.random.below(100);
    if (kind < 62) {
      return { kind: 'put', family, key, value };
    }
    if (kind < 80) {
      return { kind: 'delete', family, key };
    }
    if (kind < 96) {
      return { kind: 'merge', family, key, value: counts ? value : value.subarray(0, 40) };
    }
    return { kind: 'deleteRange', family, ...this.drawRange(family) };
  }

  private drawForSingleDelete(family: string, key: string, value: Uint8Array): Operation {
    const id = `${family}\n${key}`;
    if (this.putOnce.has(id)) {
      return { kind: 'singleDelete', family, key };
    }
    return this.tainted.has(id) && this.random.oneIn(2)
      ? { kind: 'delete', family, key }
      : { kind: 'put', family, key, value };
  }

  /** Mostly a short range between neighbours of the pool in key order. */
  private drawRange(family: string): { key: string; end: string } {
    const view = this.familyModel(family).view();
    const wide = this.random.oneIn(10);
    if (wide || view.keys.length < 2) {
      const [a, b] = [this.random.pick(this.keys), this.random.pick(this.keys)];
      return view.order(a, b) <= 0 ? { key: a, end: b } : { key: b, end: a };
    }
    const from = this.random.below(view.keys.length);
    const to = Math.min(view.keys.length - 1, from + this.random.below(12));
    return { key: view.keys[from]!, end: view.keys[to]! };
  }

  private apply(operation: Operation): void {
    this.operations++;
    const { merge } = this.options.optionSet.families[operation.family]!;
    applyToModel(this.familyModel(operation.family), merge, operation);
    const id = `${operation.family}\n${operation.key}`;
    if (operation.kind === 'deleteRange') {
      for (const other of this.keys.filter(isSingleDeleteKey)) {
        this.tainted.add(`${operation.family}\n${other}`);
        this.putOnce.delete(`${operation.family}\n${other}`);
      }
    } else if (operation.kind === 'put' && isSingleDeleteKey(operation.key) && !this.tainted.has(id)) {
      this.putOnce.add(id);
    } else {
      this.putOnce.delete(id);
    }
  }

  private async getOne(): Promise<void> {
    this.operations++;
    const name = this.random.pick(this.names);
    const key = this.random.pick(this.keys);
    const held = this.pickSnapshot();
    const expected = valueIn(held?.views.get(name) ?? this.familyModel(name).view(), key);
    const options = held === undefined ? {} : { snapshot: held.snapshot };
    const family = this.family(name);
    const found = this.random.oneIn(6)
      ? await family.get(fromBinary(key), options)
      : family.getSync(fromBinary(key), options);
    this.expectValue(`get ${name} ${hexOf(key)}${held === undefined ? '' : ' at a snapshot'}`, expected, found);
  }

  private async getMany(): Promise<void> {
    const held = this.pickSnapshot();
    const options = held === undefined ? {} : { snapshot: held.snapshot };
    const wanted = Array.from({ length: this.random.between(1, 30) }, () => ({
      name: this.random.pick(this.names),
      key: this.random.pick(this.keys),
    }));
    this.operations += wanted.length;
    const expected = wanted.map(({ name, key }) =>
      valueIn(held?.views.get(name) ?? this.familyModel(name).view(), key),
    );
    const keys = wanted.map(({ name, key }): [Uint8Array, ColumnFamily] => [fromBinary(key), this.family(name)]);
    const db = this.database();
    const found = this.random.oneIn(4) ? await db.multiGet(keys, options) : db.multiGetSync(keys, options);
    for (const [index, { name, key }] of wanted.entries()) {
      this.expectValue(`multiGet ${name} ${hexOf(key)}`, expected[index], found[index]);
    }
  }

  private async walkIterator(): Promise<void> {
    const steps = this.random.between(4, 16);
    this.operations += steps;
    // Old iterators are walked again after later writes, flushes and compactions: their view must not have moved.
    if (this.iterators.length > 0 && this.random.oneIn(3)) {
      await this.random.pick(this.iterators).walk(this.random, this.keys, steps);
      return;
    }
    const iterator = this.newIterator();
    await iterator.walk(this.random, this.keys, steps);
    if (this.iterators.length < 6 && this.random.oneIn(4)) {
      this.iterators.push(iterator);
    } else {
      iterator.close();
    }
  }

  private newIterator(): PairedIterator {
    const name = this.random.pick(this.names);
    const held = this.pickSnapshot();
    const view = held?.views.get(name) ?? this.familyModel(name).view();
    const lower = this.random.oneIn(3) ? this.random.pick(this.keys) : undefined;
    const upper = this.random.oneIn(3) ? this.random.pick(this.keys) : undefined;
    const cursor = this.family(name).newIterator({
      ...(held === undefined ? {} : { snapshot: held.snapshot }),
      ...(lower === undefined ? {} : { iterateLowerBound: fromBinary(lower) }),
      ...(upper === undefined ? {} : { iterateUpperBound: fromBinary(upper) }),
    });
    return new PairedIterator(cursor, view, lower, upper);
  }

  private holdSnapshot(): void {
    if (this.snapshots.length < 5) {
      this.note('snapshot');
      const views = new Map(this.names.map((name) => [name, this.familyModel(name).view()]));
      this.snapshots.push({ snapshot: this.database().snapshot(), views });
    }
  }

  private dropHeld(): void {
    if (this.snapshots.length > 0 && this.random.oneIn(2)) {
      this.note('release');
      const [held] = this.snapshots.splice(this.random.below(this.snapshots.length), 1);
      held?.snapshot.release();
    } else if (this.iterators.length > 0) {
      const [iterator] = this.iterators.splice(this.random.below(this.iterators.length), 1);
      iterator?.close();
    }
  }

  private pickSnapshot(): HeldSnapshot | undefined {
    return this.snapshots.length > 0 && this.random.oneIn(4) ? this.random.pick(this.snapshots) : undefined;
  }

  private async maintain(): Promise<void> {
    this.operations++;
    const family = this.family(this.random.pick(this.names));
    const choice = this.random.below(6);
    if (choice < 3) {
      this.note('flush');
      await (choice === 0 ? family.flush() : this.database().flush());
    } else if (choice === 3) {
      this.note('compactRange');
      await family.compactRange();
    } else if (choice === 4) {
      const begin = fromBinary(this.random.pick(this.keys));
      this.note(`compactRange from ${Buffer.from(begin).toString('hex')}`);
      await family.compactRange({ begin });
    }
  }

  /** Reads every family whole, both ways, and compares. */
  private async verifyAll(): Promise<void> {
    for (const name of this.names) {
      const view = this.familyModel(name).view();
      const iterator = new PairedIterator(this.family(name).newIterator(), view, undefined, undefined);
      try {
        await iterator.walkWhole();
      } finally {
        iterator.close();
      }
      this.operations += 2 * view.keys.length;
    }
  }

  private expectValue(what: string, expected: Uint8Array | undefined, found: Uint8Array | undefined): void {
    const same =
      expected === undefined || found === undefined ? expected === found : Buffer.compare(expected, found) === 0;
    if (!same) {
      throw new Disagreement(`${what}: expected ${sizeOf(expected)}, found ${sizeOf(found)}`);
    }
  }

  private database(): DB {
    if (this.db === undefined) {
      throw new Error('the database is not open');
    }
    return this.db;
  }

  private family(name: string): ColumnFamily {
    return this.database().columnFamily(name);
  }

  private familyModel(name: string): ModelFamily {
    return this.model.get(name)!;
  }

  private note(text: string): void {
    this.recent.push(`${this.operations}: ${text.slice(0, 400)}`);
    if (this.recent.length > 15) {
      this.recent.shift();
    }
  }

  private failure(error: unknown): string {
    const { optionSet, seed } = this.options;
    return [
      `${error instanceof Error ? error.message : String(error)}`,
      `option set '${optionSet.name}', seed ${seed}, after ${this.operations} operations; the last writes:`,
      ...this.recent,
      `repeat: PUMICE_SEED=${seed} npx vitest run test/model -t '${optionSet.name}'`,
    ].join('\n');
  }
}

function hexOf(key: string): string {
  return `0x${Buffer.from(key, 'latin1').toString('hex')}`;
}

function sizeOf(value: Uint8Array | undefined): string {
  return value === undefined
    ? 'nothing'
    : `${value.length} bytes ${Buffer.from(value.subarray(0, 24)).toString('hex')}`;
}
