/**
 * A worker's end of its channel. It hands jobs to the serving loop one at a time, flushes first, and lets a running
 * compaction look for a flush that came in meanwhile. After each answer it raises the shared signal, so that an opening
 * thread that blocks notices.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { MessageFromWorker, MessageToWorker, RunMessage } from '../../compaction/worker/protocol.ts';
import type { WorkerPort } from '../../compaction/worker/serve.ts';

/** What may arrive: `null` only asks whether the thread still lives, which the sender learns from sending it. */
type Incoming = MessageToWorker | null;

/** See the head of this file. */
export class WorkerInbox implements WorkerPort {
  readonly #port: MessagePort;
  readonly #signal: Int32Array;
  readonly #waiting: MessageToWorker[] = [];
  #listener: ((message: MessageToWorker) => void) | undefined;
  /** The job that the serving loop has, until it is answered. */
  #serving: number | undefined;

  constructor(port: MessagePort, signal: SharedArrayBuffer) {
    this.#port = port;
    this.#signal = new Int32Array(signal);
  }

  on(_event: 'message', listener: (message: MessageToWorker) => void): void {
    this.#listener = listener;
    this.#port.on('message', (message: Incoming) => {
      this.#keep(message);
      this.#feed();
    });
  }

  postMessage(message: MessageFromWorker): void {
    this.#port.postMessage(message);
    Atomics.add(this.#signal, 0, 1);
    Atomics.notify(this.#signal, 0);
    if (message.id !== this.#serving) return;
    this.#serving = undefined;
    this.#feed();
  }

  close(): void {
    this.#port.close();
  }

  /** Takes a flush that waits and that `canRun` now, for a job that lends its thread. The taker answers it. */
  takeFlush(canRun: (message: RunMessage) => boolean): RunMessage | undefined {
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: Incoming } | undefined;
      if (received === undefined) break;
      this.#keep(received.message);
    }
    const index = this.#waiting.findIndex((message) => isFlush(message) && canRun(message));
    return index < 0 ? undefined : (this.#waiting.splice(index, 1)[0] as RunMessage);
  }

  #keep(message: Incoming): void {
    if (message !== null) this.#waiting.push(message);
  }

  #feed(): void {
    if (this.#serving !== undefined || this.#waiting.length === 0) return;
    const flush = this.#waiting.findIndex(isFlush);
    const [message] = this.#waiting.splice(Math.max(flush, 0), 1);
    if (message!.type === 'run') this.#serving = message!.id;
    this.#listener?.(message!);
  }
}

function isFlush(message: MessageToWorker): message is RunMessage {
  return message.type === 'run' && message.job.kind === 'flush';
}
