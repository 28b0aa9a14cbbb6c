/**
 * What the database must hold: for every key the number of its value, and while a write is under way the number that it
 * will have. Kept in a file, it outlives the process: each change is handed to the operating system before the database
 * is asked, so after a kill a key has its old or its new value, and nothing else is right.
 *
 * The file: 8 bytes of header (magic, keys), then two 32-bit words a key, settled and pending. 0 stands for "no such key".
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ToolFailure } from '../lib/tool-failure.ts';

const MAGIC = 0x50535831;
const HEADER_WORDS = 2;
const WORDS_PER_KEY = 2;
const FILE_NAME = 'LATEST.state';

/** The key is not in the database. */
export const ABSENT = 0;

/** The expected state of all keys of all families. */
export class ExpectedState implements Disposable {
  readonly #words: Uint32Array;
  readonly #file: number | undefined;
  /** Whether the state was read from a file, so that the database must agree with it. */
  readonly restored: boolean;

  /** `directory` undefined: in memory only. A `ToolFailure` when the file is of another number of keys. */
  constructor(keyCount: number, directory: string | undefined, fresh: boolean) {
    const words = HEADER_WORDS + WORDS_PER_KEY * keyCount;
    const path = directory === undefined ? undefined : join(directory, FILE_NAME);
    this.restored = !fresh && path !== undefined && existsSync(path);
    this.#words = this.restored ? readWords(path!, words) : new Uint32Array(words);
    if (path === undefined) return;
    if (!this.restored) {
      this.#words[0] = MAGIC;
      this.#words[1] = keyCount;
      mkdirSync(directory!, { recursive: true });
      // A killed run leaves a whole file or none.
      writeFileSync(`${path}.new`, this.#words);
      renameSync(`${path}.new`, path);
    }
    this.#file = openSync(path, 'r+');
  }

  /** Number of the value that the key has. */
  settled(key: number): number {
    return this.#words[HEADER_WORDS + WORDS_PER_KEY * key]!;
  }

  /** Number of the value that it is getting; the settled one when no write is under way. */
  pending(key: number): number {
    return this.#words[HEADER_WORDS + WORDS_PER_KEY * key + 1]!;
  }

  /** Says that a write begins. */
  begin(key: number, value: number): void {
    this.#words[HEADER_WORDS + WORDS_PER_KEY * key + 1] = value;
    this.#store(key);
  }

  /** Says that the write was acknowledged. */
  commit(key: number): void {
    this.settle(key, this.pending(key));
  }

  /** Says what the key holds after a crash. */
  settle(key: number, value: number): void {
    const at = HEADER_WORDS + WORDS_PER_KEY * key;
    this.#words[at] = value;
    this.#words[at + 1] = value;
    this.#store(key);
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }

  #store(key: number): void {
    if (this.#file === undefined) return;
    const at = HEADER_WORDS + WORDS_PER_KEY * key;
    writeSync(this.#file, this.#words.subarray(at, at + WORDS_PER_KEY), 0, WORDS_PER_KEY * 4, at * 4);
  }
}

function readWords(path: string, count: number): Uint32Array {
  const bytes = readFileSync(path);
  if (bytes.length !== count * 4) {
    throw new ToolFailure(
      `Error: ${path} has ${bytes.length} bytes instead of ${count * 4}: other --max_key or --column_families?`,
    );
  }
  const words = new Uint32Array(count);
  new Uint8Array(words.buffer).set(bytes);
  if (words[0] !== MAGIC) throw new ToolFailure(`Error: ${path} is no expected state`);
  return words;
}
