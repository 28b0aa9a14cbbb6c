/** Operations under way that a blocking caller takes over (`IoTask`). Method: steps that record which way they were driven. */
import { expect, test } from 'vitest';
import { type Io, IoTask, io, repeatableIo, type Wait } from '../../../format/base/io.ts';

class Recorder {
  readonly log: string[] = [];
  /** What the steps called `held` wait for. */
  wait: Wait | undefined = 'thread';

  *step(name: string): Io<string> {
    return yield* repeatableIo(
      () => this.#note(`${name} sync`),
      async () => this.#note(`${name} async`),
    );
  }

  *held(name: string): Io<string> {
    return yield* repeatableIo(
      () => this.#note(`${name} sync`),
      () => new Promise<never>(() => {}),
      () => this.wait,
    );
  }

  *onceOnly(name: string): Io<string> {
    return yield* io(
      () => this.#note(`${name} sync`),
      () => new Promise<never>(() => {}),
    );
  }

  #note(what: string): string {
    this.log.push(what);
    return what;
  }
}

test('advanceSync carries steps out in place up to one that waits for somebody', async () => {
  const recorder = new Recorder();
  const task = new IoTask(
    (function* (): Io<string> {
      yield* recorder.step('a');
      yield* recorder.step('b');
      const reply = yield* recorder.held('c');
      return `${reply}, ${yield* recorder.step('d')}`;
    })(),
  );
  expect(task.advanceSync()).toBe(false);
  expect(task.waitsFor).toBe('thread');
  expect(recorder.log).toEqual(['a async', 'a sync', 'b sync']);
  expect(task.advanceSync()).toBe(false);
  recorder.wait = undefined;
  expect(task.waitsFor).toBeUndefined();
  expect(task.advanceSync()).toBe(true);
  expect(await task.promise).toBe('c sync, d sync');
  expect(recorder.log).toEqual(['a async', 'a sync', 'b sync', 'c sync', 'd sync']);
});

test('after advanceSync the task goes on by itself', async () => {
  const recorder = new Recorder();
  let answer: (reply: string) => void = () => {};
  const task = new IoTask(
    (function* (): Io<string> {
      yield* recorder.step('a');
      const reply = yield* repeatableIo<string>(
        () => 'not this way',
        () => new Promise((resolve) => (answer = resolve)),
        () => 'turn',
      );
      return `${reply}, ${yield* recorder.step('b')}`;
    })(),
  );
  expect(task.advanceSync()).toBe(false);
  answer('answered');
  expect(await task.promise).toBe('answered, b async');
});

test('a step that may not be repeated is carried out in place while nobody has begun it', () => {
  const recorder = new Recorder();
  const task = new IoTask(
    (function* (): Io<void> {
      yield* recorder.step('a');
      yield* recorder.onceOnly('b');
    })(),
  );
  expect(task.advanceSync()).toBe(true);
  expect(recorder.log).toEqual(['a async', 'a sync', 'b sync']);
});

test('a step that may not be repeated is not taken over', () => {
  const recorder = new Recorder();
  const task = new IoTask(recorder.onceOnly('a'));
  expect(task.waitsFor).toBe('turn');
  expect(task.advanceSync()).toBe(false);
  expect(task.finishSync()).toBe(false);
  expect(recorder.log).toEqual([]);
});

test('finishSync carries out steps that wait, too, and a failure is the promise’s', async () => {
  const recorder = new Recorder();
  const task = new IoTask(
    (function* (): Io<void> {
      yield* recorder.held('a');
      throw new Error('failed behind a');
    })(),
  );
  expect(task.finishSync()).toBe(true);
  expect(task.settled).toBe(true);
  expect(recorder.log).toEqual(['a sync']);
  await expect(task.promise).rejects.toThrow('failed behind a');
});
