/** One of the loops that work on the database at the same time. Keys it works on are locked, so that it knows what to expect. */
import { SeededRandom } from '../../src/env/random.ts';
import type { Snapshot } from '../../src/index.ts';
import { ABSENT, type ExpectedState } from './expected-state.ts';
import type { StressSettings } from './stress-flags.ts';
import type { StressStore } from './stress-store.ts';
import { checkKey } from './verify-database.ts';
import { VerificationFailure } from './verification-failure.ts';

const PREFIX_WIDTH = 16;
const SCAN_WIDTH_MAX = 200;
const RANGE_WIDTH_MAX = 20;
const COMPACT_WIDTH = 1000;
const SNAPSHOT_HOLD_OPS = 50;

/** What all loops share. */
export interface StressShared {
  readonly settings: StressSettings;
  readonly expected: ExpectedState;
  /** Keys that some loop works on. */
  readonly locked: Set<number>;
  /** Counts operations by kind, for the report. */
  readonly counts: Map<string, number>;
  /** Called where the process may die; kills it when chance says so. */
  readonly killPoint: () => void;
  /** Set when a loop failed. */
  stopped: boolean;
}

interface HeldSnapshot {
  readonly snapshot: Snapshot;
  readonly key: number;
  readonly value: number;
  readonly releaseAt: number;
}

/** One loop. */
export class StressLoop {
  readonly #shared: StressShared;
  readonly #random: SeededRandom;
  #store: StressStore;
  #held: HeldSnapshot[] = [];
  #operations = 0;
  #nextValue: number;

  constructor(shared: StressShared, store: StressStore, index: number) {
    this.#shared = shared;
    this.#store = store;
    this.#random = new SeededRandom(shared.settings.seed + index);
    this.#nextValue = this.#random.nextUint32();
  }

  /** Makes `count` operations on `store`, and lets go of all snapshots. */
  async run(store: StressStore, count: number): Promise<void> {
    this.#store = store;
    for (let i = 0; i < count && !this.#shared.stopped; i++) {
      await this.#operation();
      this.#operations++;
      await this.#checkSnapshots(this.#operations);
    }
    await this.#checkSnapshots(Number.POSITIVE_INFINITY);
  }

  async #operation(): Promise<void> {
    const { mix, flushOneIn, compactOneIn, snapshotOneIn } = this.#shared.settings;
    if (this.#oneIn(flushOneIn)) await this.#counted('flush', this.#store.flush());
    if (this.#oneIn(compactOneIn))
      await this.#counted('compactRange', this.#store.compactAround(this.#anyKey(), COMPACT_WIDTH));
    if (this.#oneIn(snapshotOneIn)) this.#takeSnapshot();
    let dice = this.#random.below(100);
    if ((dice -= mix.read) < 0) return this.#withKeys(1, 'read', (key) => this.#read(key));
    if ((dice -= mix.prefix) < 0) return this.#withKeys(PREFIX_WIDTH, 'prefix', (key, end) => this.#scan(key, end));
    if ((dice -= mix.write) < 0) return this.#withKeys(1, 'write', (key) => this.#put(key));
    if ((dice -= mix.delete) < 0) return this.#withKeys(1, 'delete', (key) => this.#delete(key));
    const width = 1 + this.#random.below(dice - mix.deleteRange < 0 ? RANGE_WIDTH_MAX : SCAN_WIDTH_MAX);
    if (dice - mix.deleteRange < 0) {
      return this.#withKeys(width, 'deleteRange', (key, end) => this.#deleteRange(key, end));
    }
    return this.#withKeys(width, 'iterate', (key, end) => this.#scan(key, end));
  }

  async #read(key: number): Promise<void> {
    checkKey(this.#shared.expected, key, await this.#store.get(key), false, 'get');
  }

  async #scan(begin: number, end: number): Promise<void> {
    const reverse = this.#random.below(2) === 1;
    const values = await this.#store.scan(begin, end, reverse);
    const by = reverse ? 'a backward iterator' : 'an iterator';
    for (let key = begin; key < end; key++) {
      checkKey(this.#shared.expected, key, values.get(key) ?? ABSENT, false, by);
    }
    const order = [...values.keys()];
    if (order.some((key, at) => at > 0 && (reverse ? key >= order[at - 1]! : key <= order[at - 1]!))) {
      throw new VerificationFailure(`${by} over the keys ${begin} to ${end} is out of order`);
    }
  }

  async #put(key: number): Promise<void> {
    const { expected, settings } = this.#shared;
    this.#nextValue = (this.#nextValue % 0xfffffffe) + 1;
    const merge = settings.useMerge && this.#random.below(2) === 0;
    expected.begin(key, this.#nextValue);
    await this.#acknowledged(this.#store.put(key, this.#nextValue, merge));
    expected.commit(key);
  }

  async #delete(key: number): Promise<void> {
    this.#shared.expected.begin(key, ABSENT);
    await this.#acknowledged(this.#store.delete(key));
    this.#shared.expected.commit(key);
  }

  async #deleteRange(begin: number, end: number): Promise<void> {
    const { expected } = this.#shared;
    for (let key = begin; key < end; key++) expected.begin(key, ABSENT);
    await this.#acknowledged(this.#store.deleteRange(begin, end));
    for (let key = begin; key < end; key++) expected.commit(key);
  }

  /** The process may die while the write is under way, and between its end and the moment that the oracle hears of it. */
  async #acknowledged(write: Promise<void>): Promise<void> {
    this.#shared.killPoint();
    await write;
    this.#shared.killPoint();
  }

  /** Works on `width` neighbouring keys of one family, unless another loop has one of them. */
  async #withKeys(width: number, kind: string, work: (begin: number, end: number) => Promise<void>): Promise<void> {
    const { locked, settings } = this.#shared;
    const begin = this.#anyKey();
    const familyEnd = (Math.floor(begin / settings.maxKey) + 1) * settings.maxKey;
    const end = Math.min(begin + width, familyEnd);
    for (let key = begin; key < end; key++) if (locked.has(key)) return;
    for (let key = begin; key < end; key++) locked.add(key);
    try {
      await this.#counted(kind, work(begin, end));
    } finally {
      for (let key = begin; key < end; key++) locked.delete(key);
    }
  }

  #takeSnapshot(): void {
    const key = this.#anyKey();
    if (this.#shared.locked.has(key)) return;
    this.#held.push({
      snapshot: this.#store.db.snapshot(),
      key,
      value: this.#shared.expected.settled(key),
      releaseAt: this.#operations + SNAPSHOT_HOLD_OPS,
    });
  }

  /** Reads what a snapshot showed when it was taken, and releases it; all that are due at operation `now`. */
  async #checkSnapshots(now: number): Promise<void> {
    while (this.#held.length > 0 && this.#held[0]!.releaseAt <= now) {
      const { snapshot, key, value } = this.#held.shift()!;
      const found = await this.#store.get(key, snapshot);
      snapshot.release();
      if (found !== value) {
        throw new VerificationFailure(`key ${key} in a snapshot: expected value ${value}, found value ${found}`);
      }
    }
  }

  async #counted(kind: string, work: Promise<void>): Promise<void> {
    const { counts } = this.#shared;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    await work;
  }

  #anyKey(): number {
    const { maxKey, columnFamilies } = this.#shared.settings;
    return this.#random.below(maxKey * columnFamilies);
  }

  #oneIn(count: number): boolean {
    return count > 0 && this.#random.below(count) === 0;
  }
}
