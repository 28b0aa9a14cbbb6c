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
}

/** An operation that can be driven either way. */
export type Io<T> = Generator<IoStep, T, unknown>;

/** Wraps one pair of twins as an operation: `yield* io(() => f.readSync(b, 0), () => f.read(b, 0))`. */
export function* io<T>(sync: () => T, async: () => Promise<T>): Io<T> {
  return (yield { sync, async }) as T;
}

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
