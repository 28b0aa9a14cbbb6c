/** Explicit snapshots of a `PumiceLevel`. */
import { AbstractSnapshot } from 'abstract-level';
import type { Snapshot } from '../../read/snapshot-list.ts';

/** A snapshot that abstract-level counts the users of; it lets the engine's go when it is closed. */
export class LevelSnapshot extends AbstractSnapshot {
  /** The engine's snapshot. */
  readonly point: Snapshot;
  #closed = false;

  /** `options` come from abstract-level and name the owner. Takes `point` over. */
  constructor(options: object, point: Snapshot) {
    // The constructor takes options that the type declarations leave out.
    super(...([options] as unknown as []));
    this.point = point;
  }

  /** Whether the engine's snapshot was released. */
  get isClosed(): boolean {
    return this.#closed;
  }

  async _close(): Promise<void> {
    this.#closed = true;
    this.point.release();
  }
}
