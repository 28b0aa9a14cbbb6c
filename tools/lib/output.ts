/**
 * Text and raw bytes on their way to a stream, in large pieces. Keys and values go out byte for byte; text is UTF-8.
 */
import { type EventEmitter, once } from 'node:events';
import { utf8 } from '../../format/base/bytes.ts';

const PIECE_SIZE = 1 << 16;

/** Where the pieces go: a stream, or something like one. */
export interface OutputTarget extends EventEmitter {
  /** False: wait for the event `drain` before more is written. */
  write(bytes: Uint8Array): boolean;
}

/** A buffered writer. Whoever writes much asks `full` now and then and awaits `flush`. */
export class Output {
  /** Bytes written so far. */
  bytes = 0;
  readonly #target: OutputTarget;
  #buffer: Buffer = Buffer.allocUnsafe(PIECE_SIZE);
  #used = 0;
  #blocked = false;

  constructor(target: OutputTarget) {
    this.#target = target;
  }

  /** Whether `flush` should be awaited before more is written. */
  get full(): boolean {
    return this.#blocked;
  }

  /** Writes the parts one behind the other; bytes are copied. */
  write(...parts: readonly (string | Uint8Array)[]): void {
    for (const part of parts) this.#add(typeof part === 'string' ? utf8(part) : part);
  }

  /** The same with an end of line behind them. */
  line(...parts: readonly (string | Uint8Array)[]): void {
    this.write(...parts, '\n');
  }

  /** Hands everything to the stream and waits until the stream takes more. */
  async flush(): Promise<void> {
    this.#hand();
    if (!this.#blocked) return;
    await once(this.#target, 'drain');
    this.#blocked = false;
  }

  /** Hands everything to the stream without waiting. */
  end(): void {
    this.#hand();
  }

  #add(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (bytes.length > PIECE_SIZE - this.#used) this.#hand();
    if (bytes.length > PIECE_SIZE) {
      if (!this.#target.write(bytes.slice())) this.#blocked = true;
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #hand(): void {
    if (this.#used === 0) return;
    const piece = this.#buffer.subarray(0, this.#used);
    this.#buffer = Buffer.allocUnsafe(PIECE_SIZE);
    this.#used = 0;
    if (!this.#target.write(piece)) this.#blocked = true;
  }
}
