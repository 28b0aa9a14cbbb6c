/**
 * The database as db_stress uses it: keys are numbers over all families, values are numbers, and with
 * `--test_batches_snapshots` every key stands for ten copies that must always be equal.
 */
import { type ColumnFamily, DB, type DBIterator, type Options, type Snapshot, WriteBatch } from '../../src/index.ts';
import { ABSENT } from './expected-state.ts';
import type { PlantedBug } from './planted-bug.ts';
import { COPIES, keyNumber, stressKey, stressValue, valueNumber } from './stress-entries.ts';
import type { StressSettings } from './stress-flags.ts';
import { VerificationFailure } from './verification-failure.ts';

/** Entries that a scan reads at once. */
const SCAN_CHUNK = 256;

/** One open database. */
export class StressStore {
  readonly db: DB;
  readonly #families: readonly ColumnFamily[];
  readonly #settings: StressSettings;
  readonly #bug: PlantedBug;
  readonly #copies: readonly (number | undefined)[];

  private constructor(db: DB, settings: StressSettings, bug: PlantedBug) {
    this.db = db;
    this.#settings = settings;
    this.#bug = bug;
    this.#families = familyNames(settings).map((name) => db.columnFamily(name));
    this.#copies = settings.batches ? Array.from({ length: COPIES }, (_, copy) => copy) : [undefined];
  }

  /** Opens it, with as many families as asked for. */
  static async open(settings: StressSettings, options: Options, bug: PlantedBug): Promise<StressStore> {
    const columnFamilies = Object.fromEntries(familyNames(settings).map((name) => [name, {}]));
    return new StressStore(await DB.open(settings.path, { ...options, columnFamilies }), settings, bug);
  }

  /** Writes a value, as a put or as a merge operand. */
  async put(key: number, value: number, merge: boolean): Promise<void> {
    if (this.#bug.strikes('lost-write')) return;
    const bytes = stressValue(this.#numberOf(key), value, this.#settings.valueSizeMult);
    await this.#write(key, (batch, name, family) =>
      merge ? batch.merge(name, bytes, family) : batch.put(name, bytes, family),
    );
  }

  async delete(key: number): Promise<void> {
    if (this.#bug.strikes('lost-delete')) return;
    await this.#write(key, (batch, name, family) => batch.delete(name, family));
  }

  /** Deletes the keys from `begin` up to, but without, `end`; both of one family. */
  async deleteRange(begin: number, end: number): Promise<void> {
    const [family, first] = [this.#familyOf(begin), this.#numberOf(begin)];
    const batch = new WriteBatch();
    for (const copy of this.#copies) {
      batch.deleteRange(stressKey(first, copy), stressKey(first + end - begin, copy), family);
    }
    await this.db.write(batch, { sync: this.#settings.sync });
  }

  /** The number of the key's value. A `VerificationFailure` when it is no value of this key, or copies differ. */
  async get(key: number, snapshot?: Snapshot): Promise<number> {
    const [columnFamily, number] = [this.#familyOf(key), this.#numberOf(key)];
    const names = this.#copies.map((copy) => stressKey(number, copy));
    // Without a snapshot of its own, copies read one by one may lie in different points in time.
    const values =
      names.length > 1 || number % 2 === 0
        ? await this.db.multiGet(names, { columnFamily, snapshot })
        : [await this.db.get(names[0]!, { columnFamily, snapshot })];
    const found = this.#sameNumber(key, values);
    return this.#bug.strikes('stale-read') ? found + 1 : found;
  }

  /** The values from `begin` up to `end`, both of one family, in order of keys, by an iterator; absent ones are left out. */
  async scan(begin: number, end: number, reverse: boolean): Promise<Map<number, number>> {
    const [columnFamily, first] = [this.#familyOf(begin), this.#numberOf(begin)];
    let result: Map<number, number> | undefined;
    using snapshot = this.db.snapshot();
    for (const copy of this.#copies) {
      using cursor = this.db.newIterator({
        snapshot,
        columnFamily,
        reverse,
        iterateLowerBound: stressKey(first, copy),
        iterateUpperBound: stressKey(first + end - begin, copy),
      });
      const values = await this.#values(cursor, begin - first);
      if (result !== undefined && !sameValues(result, values)) {
        throw new VerificationFailure(`copies of the keys ${first} to ${first + end - begin} differ in one snapshot`);
      }
      result = values;
    }
    return result!;
  }

  /** Compacts the keys around `key`. */
  async compactAround(key: number, width: number): Promise<void> {
    const number = this.#numberOf(key);
    const [low, high] = [Math.max(0, number - width), number + width];
    const [first, last] = [this.#copies[0], this.#copies.at(-1)];
    await this.#familyOf(key).compactRange({ begin: stressKey(low, first), end: stressKey(high, last) });
  }

  flush(): Promise<void> {
    return this.db.flush();
  }

  close(): Promise<void> {
    return this.db.close();
  }

  async #values(cursor: DBIterator, offset: number): Promise<Map<number, number>> {
    const values = new Map<number, number>();
    for (let rows = await cursor.nextMany(SCAN_CHUNK); rows.length > 0; rows = await cursor.nextMany(SCAN_CHUNK)) {
      for (const [name, bytes] of rows) {
        const number = keyNumber(name);
        values.set(number + offset, this.#valueOf(number, bytes));
      }
    }
    const error = cursor.status();
    if (error !== undefined) throw error;
    return values;
  }

  async #write(key: number, add: (batch: WriteBatch, name: Uint8Array, family: ColumnFamily) => void): Promise<void> {
    const [family, number] = [this.#familyOf(key), this.#numberOf(key)];
    const batch = new WriteBatch();
    const torn = this.#bug.strikes('torn-batch');
    for (const copy of torn ? this.#copies.slice(1) : this.#copies) add(batch, stressKey(number, copy), family);
    await this.db.write(batch, { sync: this.#settings.sync });
  }

  #sameNumber(key: number, values: readonly (Uint8Array | undefined)[]): number {
    const numbers = values.map((bytes) => (bytes === undefined ? ABSENT : this.#valueOf(this.#numberOf(key), bytes)));
    if (numbers.some((number) => number !== numbers[0])) {
      throw new VerificationFailure(`copies of key ${key} differ in one snapshot: values ${numbers.join(', ')}`);
    }
    return numbers[0]!;
  }

  #valueOf(number: number, bytes: Uint8Array): number {
    const value = valueNumber(number, bytes, this.#settings.valueSizeMult);
    if (value === undefined) {
      throw new VerificationFailure(`key ${number} holds ${bytes.length} bytes that were never written to it`);
    }
    return value;
  }

  #familyOf(key: number): ColumnFamily {
    return this.#families[Math.floor(key / this.#settings.maxKey)]!;
  }

  #numberOf(key: number): number {
    return key % this.#settings.maxKey;
  }
}

function familyNames({ columnFamilies }: StressSettings): string[] {
  return Array.from({ length: columnFamilies }, (_, index) => (index === 0 ? 'default' : String(index)));
}

function sameValues(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
