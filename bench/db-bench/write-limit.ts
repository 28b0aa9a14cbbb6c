/** Holds a writing loop to so many bytes a second. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A budget that fills as time passes; what is above it waits. */
export class WriteLimit {
  readonly #bytesPerMs: number;
  readonly #startMs = performance.now();
  #taken = 0;

  /** 0: no limit. */
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  get bounded(): boolean {
    return this.#bytesPerMs > 0;
  }

  /** Resolves when the bytes may be written. */
  async take(bytes: number): Promise<void> {
    if (!this.bounded) return;
    this.#taken += bytes;
    const waitMs = this.#taken / this.#bytesPerMs - (performance.now() - this.#startMs);
    if (waitMs > 0) await sleep(waitMs);
  }
}
