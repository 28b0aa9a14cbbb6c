/** The live end of the log: wakes those who wait for more of it, and tells them when the database closes. */

/** What follows the end of the log. */
export interface TailFollower {
  /** The database closes: let go of files, nothing more will come. */
  onTailClosed(): void;
}

/** One database's end of log. */
export class WalTail {
  #wakes: (() => void)[] = [];
  #closed = false;
  readonly #followers = new Set<TailFollower>();

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes became visible, or writes that are in the log did. Called for every group of writes, so cheap when nobody waits. */
  changed(): void {
    if (this.#wakes.length === 0) return;
    const wakes = this.#wakes;
    this.#wakes = [];
    for (const wake of wakes) wake();
  }

  /**
   * Resolves at the next change, at the close, or when `signal` is aborted. Which of them it was, the caller looks up;
   * REQUIRES that it has just looked, with no wait since.
   */
  wait(signal?: AbortSignal): Promise<void> {
    if (this.#closed || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#wakes = this.#wakes.filter((other) => other !== wake);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#wakes.push(wake);
    });
  }

  /** From here on the follower hears of the close; `leave` ends it. */
  join(follower: TailFollower): void {
    this.#followers.add(follower);
  }

  leave(follower: TailFollower): void {
    this.#followers.delete(follower);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const follower of [...this.#followers]) follower.onTailClosed();
    this.#followers.clear();
    this.changed();
  }
}
