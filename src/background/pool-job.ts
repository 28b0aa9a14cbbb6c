/** One job of the worker pool: its message, and its outcome for those who await it and for those who block. */
import { assert } from '../../format/base/assert.ts';
import type { CompactionResult } from '../../compaction/compaction-result.ts';
import { fromPlainError, type MessageFromWorker, type RunMessage } from '../../compaction/worker/protocol.ts';

/** See the head of this file. */
export class PoolJob {
  readonly message: RunMessage;
  /** Never reported as unhandled: a blocking caller takes the outcome with `take`. */
  readonly promise: Promise<CompactionResult>;
  #resolve!: (result: CompactionResult) => void;
  #reject!: (error: unknown) => void;
  #outcome: { result: CompactionResult } | { error: unknown } | undefined;

  constructor(message: RunMessage) {
    this.message = message;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.catch(() => {});
  }

  get isFlush(): boolean {
    return this.message.job.kind === 'flush';
  }

  get settled(): boolean {
    return this.#outcome !== undefined;
  }

  /** Takes the worker's answer in. */
  answer(message: MessageFromWorker): void {
    if (message.type === 'failed') {
      this.fail(fromPlainError(message.error));
      return;
    }
    this.#outcome = { result: message.result };
    this.#resolve(message.result);
  }

  /** Settles it without an answer. */
  fail(error: unknown): void {
    this.#outcome = { error };
    this.#reject(error);
  }

  /** The result, or its error thrown. REQUIRES `settled`. */
  take(): CompactionResult {
    assert(this.#outcome, 'an outcome is taken after it is there');
    if ('error' in this.#outcome) throw this.#outcome.error;
    return this.#outcome.result;
  }
}
