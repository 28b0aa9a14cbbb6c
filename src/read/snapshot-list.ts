/** The live snapshots of a database, oldest first: what compactions must keep visible. */

import { assert } from '../../format/base/assert.ts';
import { DBError } from '../../format/base/db-error.ts';
import type { LeakTracker, TrackedHandle } from '../monitoring/leak-tracker.ts';

/**
 * A point in time to read at. It keeps the versions that it sees, not the files they are in, and ends with the database
 * that made it.
 */
export class Snapshot implements Disposable {
  /** Everything up to this sequence is visible. */
  readonly sequence: number;
  readonly #list: SnapshotList;
  #released = false;
  #tracked: TrackedHandle | undefined;

  /** Made by `SnapshotList.take`. */
  constructor(sequence: number, list: SnapshotList, leaks: LeakTracker | undefined) {
    this.sequence = sequence;
    this.#list = list;
    this.#tracked = leaks?.track('snapshot', this, () => list.remove(sequence));
  }

  /** Whether it was taken from `list` and is still held; throws `CLOSED` or `INVALID_ARGUMENT` otherwise. */
  check(list: SnapshotList): void {
    if (this.#list !== list)
      throw new DBError('INVALID_ARGUMENT', 'the snapshot belongs to another database or another open of it');
    if (this.#released) throw new DBError('CLOSED', 'the snapshot is released');
  }

  /** Lets go. Idempotent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#list.remove(this.sequence, this.#tracked);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Sequences of live snapshots with their counts. */
export class SnapshotList {
  /** Ascending, without repeats. */
  #sequences: number[] = [];
  #counts: number[] = [];
  readonly #onRelease: () => void;
  readonly #leaks: LeakTracker | undefined;

  /** `onRelease` is called when the last snapshot of a sequence goes: files may have become compactable. */
  constructor(onRelease: () => void, leaks?: LeakTracker) {
    this.#onRelease = onRelease;
    this.#leaks = leaks;
  }

  /** Live snapshots. */
  get count(): number {
    let sum = 0;
    for (const count of this.#counts) sum += count;
    return sum;
  }

  /** The oldest one's sequence, or `undefined`. */
  get oldest(): number | undefined {
    return this.#sequences[0];
  }

  /** Their sequences, ascending, without repeats; a copy. */
  sequences(): number[] {
    return this.#sequences.slice();
  }

  /** A snapshot of `sequence`, which is not below any taken before. */
  take(sequence: number): Snapshot {
    const last = this.#sequences.length - 1;
    assert(last < 0 || this.#sequences[last]! <= sequence, 'snapshots are taken in order');
    if (last >= 0 && this.#sequences[last] === sequence) this.#counts[last]!++;
    else {
      this.#sequences.push(sequence);
      this.#counts.push(1);
    }
    return new Snapshot(sequence, this, this.#leaks);
  }

  /** Undoes one `take`; called by `Snapshot.release`, or for a snapshot that was collected. */
  remove(sequence: number, tracked?: TrackedHandle): void {
    if (tracked !== undefined) this.#leaks!.forget(tracked);
    const at = this.#sequences.indexOf(sequence);
    assert(at >= 0, 'a released snapshot is in the list');
    if (--this.#counts[at]! > 0) return;
    this.#sequences.splice(at, 1);
    this.#counts.splice(at, 1);
    this.#onRelease();
  }
}
