/**
 * One operation, two drivers. An operation that may touch a disk is written once, as a generator that yields at each
 * point where it has to wait. `runSync` carries each wait out in place, `runAsync` awaits it: so `x()` and `xSync()`
 * share every decision. Generators cost several plain calls, so hot paths first try without one ("is the block in the
 * cache?") and only then start one.
 */

/** One thing to wait for, in both manners. */
export interface IoStep {
  sync(): unknown;
  async(): Promise<unknown>;
  /** Carrying it out again while the first time is under way does no harm (syncing a file does none). */
  readonly repeatable?: boolean;
  /** What a caller that blocks would wait for if it carried it out now; absent or `undefined`: for no one. */
  readonly waitsFor?: () => Wait | undefined;
}

/** `thread`: another thread's answer, which has not come. `turn`: nothing, work rests here to let the event loop turn. */
export type Wait = 'thread' | 'turn';

/** An operation that can be driven either way. */
export type Io<T> = Generator<IoStep, T, unknown>;

/** Wraps one pair of twins as an operation: `yield* io(() => f.readSync(b, 0), () => f.read(b, 0))`. */
export function* io<T>(sync: () => T, async: () => Promise<T>): Io<T> {
  return (yield { sync, async }) as T;
}

/** The same for a step that may be carried out again while the first time is under way (`IoTask.finishSync`). */
export function* repeatableIo<T>(
  sync: () => T,
  async: () => Promise<T>,
  waitsFor: () => Wait | undefined = waitsForNobody,
): Io<T> {
  return (yield { sync, async, repeatable: true, waitsFor }) as T;
}

function waitsForNobody(): undefined {}

/**
 * Carries every step of `operation` that may not be repeated out in place, and leaves the others to the driver: whoever
 * must finish it in a hurry can (`IoTask.finishSync`).
 */
export function* inPlace<T>(operation: Io<T>): Io<T> {
  let step = operation.next();
  while (!step.done) {
    let reply: unknown;
    try {
      reply = step.value.repeatable === true ? yield step.value : step.value.sync();
    } catch (error) {
      step = operation.throw(error);
      continue;
    }
    step = operation.next(reply);
  }
  return step.value;
}

/** An operation with nothing to wait for. */
export function* noIo(): Io<void> {}

/** Carries an operation out on this thread, blocking. */
export function runSync<T>(operation: Io<T>): T {
  let step = operation.next();
  while (!step.done) {
    let reply: unknown;
    try {
      reply = step.value.sync();
    } catch (error) {
      step = operation.throw(error);
      continue;
    }
    step = operation.next(reply);
  }
  return step.value;
}

/** Carries an operation out, awaiting each step; other work runs in between. */
export async function runAsync<T>(operation: Io<T>): Promise<T> {
  let step = operation.next();
  while (!step.done) {
    let reply: unknown;
    try {
      reply = await step.value.async();
    } catch (error) {
      step = operation.throw(error);
      continue;
    }
    step = operation.next(reply);
  }
  return step.value;
}

/**
 * An operation under way in the async manner that a blocking caller may need finished before it can go on.
 */
export class IoTask<T> {
  /** Settles when the operation has, in whichever manner. */
  readonly promise: Promise<T>;
  readonly #operation: Io<T>;
  #step: IteratorResult<IoStep, T> | undefined;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  #settled = false;
  #failure: unknown;
  /** Raised by each step carried out, so that an awaited step which was overtaken is recognised. */
  #turn = 0;
  #isRunning = false;

  constructor(operation: Io<T>) {
    this.#operation = operation;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#advance(() => this.#operation.next());
    this.#follow();
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Whether it is being carried out this very moment: the caller was called by it, and cannot take it over. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** What it failed with, or `undefined` while it runs and after success. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Carries the step that is being awaited out again, in place, and then the rest. False when that step may not be
   * repeated, or the operation is running: it then goes on as before. The outcome is the promise's, nothing is thrown.
   */
  finishSync(): boolean {
    if (this.#settled) return true;
    if (this.#isRunning || this.#current.repeatable !== true) return false;
    while (!this.#settled) this.#carryOut(this.#current);
    return true;
  }

  /** Carries steps out in place, up to one that waits for somebody. Whether it has settled; nothing is thrown. */
  advanceSync(): boolean {
    if (this.#settled || this.#isRunning || this.waitsFor !== undefined) return this.#settled;
    do this.#carryOut(this.#current);
    while (!this.#settled && this.#current.waitsFor?.() === undefined);
    this.#follow();
    return this.#settled;
  }

  /** What the step that is being awaited waits for; one that may not be repeated ends in a turn of the event loop. */
  get waitsFor(): Wait | undefined {
    if (this.#settled) return undefined;
    return this.#current.repeatable === true ? this.#current.waitsFor?.() : 'turn';
  }

  /** REQUIRES that it has not settled. */
  get #current(): IoStep {
    return (this.#step as IteratorYieldResult<IoStep>).value;
  }

  #carryOut(step: IoStep): void {
    let reply: unknown;
    this.#isRunning = true;
    try {
      reply = step.sync();
    } catch (error) {
      this.#advance(() => this.#operation.throw(error));
      return;
    } finally {
      this.#isRunning = false;
    }
    this.#advance(() => this.#operation.next(reply));
  }

  #advance(move: () => IteratorResult<IoStep, T>): void {
    this.#turn++;
    this.#isRunning = true;
    try {
      this.#step = move();
      if (this.#step.done) {
        this.#settled = true;
        this.#resolve(this.#step.value);
      }
    } catch (error) {
      this.#settled = true;
      this.#failure = error ?? new Error('operation failed');
      this.#reject(error);
    } finally {
      this.#isRunning = false;
    }
  }

  #follow(): void {
    if (this.#settled) return;
    const turn = this.#turn;
    const go = (move: () => IteratorResult<IoStep, T>): void => {
      // `finishSync` took over while this step was awaited; it carried the step out itself and its outcome counts.
      if (turn !== this.#turn) return;
      this.#advance(move);
      this.#follow();
    };
    this.#current.async().then(
      (reply) => go(() => this.#operation.next(reply)),
      (error) => go(() => this.#operation.throw(error)),
    );
  }
}
