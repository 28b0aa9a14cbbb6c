/**
 * Completes the pending calls of a memory file system in an order drawn from a seed, one a turn of the event loop. The
 * same seed and the same calls give the same order: an interleaving that shows a bug shows it again.
 */
import type { Rng } from './random.ts';

interface PendingCall {
  readonly run: () => void;
  readonly notBefore: number;
}

/** Turns of the event loop with calls drawn by chance. */
export class SeededScheduler {
  readonly #rng: Rng;
  #pending: PendingCall[] = [];
  #turn = 0;
  #pumping = false;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** Calls that wait for their turn. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Runs `call` in some later turn, at the earliest `delayTurns` turns from now. */
  run<T>(call: () => T, delayTurns = 0): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = () => {
        try {
          resolve(call());
        } catch (error) {
          reject(error);
        }
      };
      this.#pending.push({ run, notBefore: this.#turn + delayTurns });
      if (this.#pumping) return;
      this.#pumping = true;
      setImmediate(() => this.#step());
    });
  }

  #step(): void {
    this.#turn++;
    const ready = this.#pending.filter((call) => call.notBefore < this.#turn);
    if (ready.length > 0) {
      const call = ready[this.#rng.below(ready.length)]!;
      this.#pending = this.#pending.filter((other) => other !== call);
      call.run();
    }
    // What the call resolved continues in microtasks, and may ask for more, before the next turn.
    this.#pumping = this.#pending.length > 0;
    if (this.#pumping) setImmediate(() => this.#step());
  }
}
