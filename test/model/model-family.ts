/**
 * The model of one column family: two parallel arrays in key order. Keys are binary strings (one char a byte), whose
 * natural order is that of unsigned bytes. A view shares the arrays until the family changes again, so views cost
 * nothing while nothing is written.
 */

/** An order over keys as binary strings; negative, zero or positive. */
export type KeyOrder = (a: string, b: string) => number;

/** Unsigned byte order. */
export const bytewise: KeyOrder = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The reverse of unsigned byte order. */
export const reverseBytewise: KeyOrder = (a, b) => bytewise(b, a);

/** Shorter keys first, then unsigned byte order: an order that no built-in comparator has. */
export const lengthThenBytes: KeyOrder = (a, b) => a.length - b.length || bytewise(a, b);

/** What a family held at one point in time. Must not be changed. */
export interface FamilyView {
  readonly keys: readonly string[];
  readonly values: readonly Uint8Array[];
  readonly order: KeyOrder;
}

/** The index of the first key of `view` that is not before `key`. */
export function lowerBound(view: FamilyView, key: string): number {
  let low = 0;
  let high = view.keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (view.order(view.keys[middle]!, key) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** The value of `key` in `view`, or undefined. */
export function valueIn(view: FamilyView, key: string): Uint8Array | undefined {
  const index = lowerBound(view, key);
  return view.keys[index] === key ? view.values[index] : undefined;
}

/** A family that changes. */
export class ModelFamily {
  readonly order: KeyOrder;
  private keys: string[] = [];
  private values: Uint8Array[] = [];
  private shared = false;

  constructor(order: KeyOrder) {
    this.order = order;
  }

  /** The family as it is now. */
  view(): FamilyView {
    this.shared = true;
    return { keys: this.keys, values: this.values, order: this.order };
  }

  get size(): number {
    return this.keys.length;
  }

  get(key: string): Uint8Array | undefined {
    const index = this.find(key);
    return this.keys[index] === key ? this.values[index] : undefined;
  }

  put(key: string, value: Uint8Array): void {
    this.own();
    const index = this.find(key);
    if (this.keys[index] === key) {
      this.values[index] = value;
    } else {
      this.keys.splice(index, 0, key);
      this.values.splice(index, 0, value);
    }
  }

  delete(key: string): void {
    const index = this.find(key);
    if (this.keys[index] === key) {
      this.remove(index, index + 1);
    }
  }

  /** Removes every key from `begin` on that is before `end`. */
  deleteRange(begin: string, end: string): void {
    const [from, to] = [this.find(begin), this.find(end)];
    if (from < to) {
      this.remove(from, to);
    }
  }

  private find(key: string): number {
    return lowerBound({ keys: this.keys, values: this.values, order: this.order }, key);
  }

  private remove(from: number, to: number): void {
    this.own();
    this.keys.splice(from, to - from);
    this.values.splice(from, to - from);
  }

  private own(): void {
    if (this.shared) {
      this.keys = this.keys.slice();
      this.values = this.values.slice();
      this.shared = false;
    }
  }
}
