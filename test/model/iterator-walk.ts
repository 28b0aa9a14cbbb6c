/** An iterator and its model walked side by side: every move must lead both to the same place. */

import type { DBIterator } from '../../src/index.ts';
import type { Random } from '../support/random.ts';
import { fromBinary, toBinary } from './key-space.ts';
import { type FamilyView, lowerBound } from './model-family.ts';

/** Thrown when the database and the model part. */
export class Disagreement extends Error {}

/** A database cursor with the view it must show, which stays as it was when the cursor was made. */
export class PairedIterator {
  private readonly cursor: DBIterator;
  private readonly view: FamilyView;
  /** The positions of the view that the bounds leave: from `first` up to, not including, `end`. */
  private readonly first: number;
  private readonly end: number;
  private position = -1;
  /** The direction of the last move, which `nextMany` follows. */
  private direction: 1 | -1 = 1;
  private trail: string[] = [];

  constructor(cursor: DBIterator, view: FamilyView, lower: string | undefined, upper: string | undefined) {
    this.cursor = cursor;
    this.view = view;
    this.first = lower === undefined ? 0 : lowerBound(view, lower);
    this.end = Math.max(this.first, upper === undefined ? view.keys.length : lowerBound(view, upper));
  }

  /** Makes `steps` random moves. Throws `Disagreement` with the moves that led there. */
  async walk(random: Random, keys: readonly string[], steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) {
      const move = this.valid ? random.below(10) : random.below(4);
      if (move < 4) {
        await this.seek(move, random.pick(keys), random.oneIn(8));
      } else if (move < 7) {
        await this.run(random.between(1, 6), 1, random.oneIn(8));
      } else if (move < 9) {
        await this.run(random.between(1, 6), -1, random.oneIn(8));
      } else {
        await this.nextMany(random.between(1, 20), random.oneIn(2));
      }
    }
  }

  /** Walks from the first entry past the last, and from the last past the first. */
  async walkWhole(): Promise<void> {
    await this.seek(2, '', false);
    await this.run(Number.POSITIVE_INFINITY, 1, false);
    await this.seek(3, '', false);
    await this.run(Number.POSITIVE_INFINITY, -1, false);
  }

  close(): void {
    this.cursor.close();
  }

  private get valid(): boolean {
    return this.position >= this.first && this.position < this.end;
  }

  private async seek(kind: number, key: string, asynchronous: boolean): Promise<void> {
    const target = fromBinary(key);
    this.direction = kind % 2 === 0 ? 1 : -1;
    switch (kind) {
      case 0:
        this.position = Math.max(this.first, lowerBound(this.view, key));
        await (asynchronous ? this.cursor.seek(target) : this.cursor.seekSync(target));
        this.check(`seek ${hexOf(key)}`);
        break;
      case 1: {
        const at = lowerBound(this.view, key);
        this.position = Math.min(this.end - 1, this.view.keys[at] === key ? at : at - 1);
        await (asynchronous ? this.cursor.seekForPrev(target) : this.cursor.seekForPrevSync(target));
        this.check(`seekForPrev ${hexOf(key)}`);
        break;
      }
      case 2:
        this.position = this.first;
        await (asynchronous ? this.cursor.seekToFirst() : this.cursor.seekToFirstSync());
        this.check('seekToFirst');
        break;
      default:
        this.position = this.end - 1;
        await (asynchronous ? this.cursor.seekToLast() : this.cursor.seekToLastSync());
        this.check('seekToLast');
    }
  }

  private async run(count: number, direction: 1 | -1, asynchronous: boolean): Promise<void> {
    for (let i = 0; i < count && this.valid; i++) {
      this.direction = direction;
      this.position += direction;
      if (direction === 1) {
        await (asynchronous ? this.cursor.next() : this.cursor.nextSync());
      } else {
        await (asynchronous ? this.cursor.prev() : this.cursor.prevSync());
      }
      this.check(direction === 1 ? 'next' : 'prev');
    }
  }

  /** `nextMany` gives the present entry and those behind it in the direction of the last move, and moves behind them. */
  private async nextMany(count: number, asynchronous: boolean): Promise<void> {
    const rows = asynchronous ? await this.cursor.nextMany(count) : this.cursor.nextManySync(count);
    for (const [key, value] of rows) {
      if (!this.valid) {
        this.disagree('fewer entries from nextMany', hexOf(toBinary(key)));
      }
      const expected = this.view.keys[this.position]!;
      if (toBinary(key) !== expected || Buffer.compare(value, this.view.values[this.position]!) !== 0) {
        this.disagree(`${hexOf(expected)} from nextMany`, hexOf(toBinary(key)));
      }
      this.position += this.direction;
    }
    if (rows.length < count && this.valid) {
      this.disagree(`${count} entries from nextMany`, `${rows.length}`);
    }
    this.check(`nextMany ${count}`);
  }

  private check(move: string): void {
    this.trail.push(move);
    const error = this.cursor.status();
    if (error !== undefined) {
      throw error;
    }
    if (!this.valid) {
      if (this.cursor.valid) {
        this.disagree('the end', hexOf(toBinary(this.cursor.key)));
      }
      return;
    }
    const expected = this.view.keys[this.position]!;
    if (!this.cursor.valid) {
      this.disagree(hexOf(expected), 'the end');
    }
    if (toBinary(this.cursor.key) !== expected) {
      this.disagree(hexOf(expected), hexOf(toBinary(this.cursor.key)));
    }
    if (Buffer.compare(this.cursor.value, this.view.values[this.position]!) !== 0) {
      this.disagree(`the value of ${hexOf(expected)}`, `another value of ${this.cursor.value.length} bytes`);
    }
  }

  private disagree(expected: string, found: string): never {
    const moves = this.trail.slice(-12).join(', ');
    throw new Disagreement(`iterator: expected ${expected}, found ${found}; last moves: ${moves}`);
  }
}

function hexOf(key: string): string {
  return `0x${Buffer.from(key, 'latin1').toString('hex')}`;
}
