/** Assertions that need no test framework: they throw. */
import { toHex } from '../../format/base/bytes.ts';
import { equalBytes } from '../../format/base/internal-key.ts';

/** Registers one test, as `test` of node:test, vitest, jest, mocha (`it`) or tape does; the function throws to fail. */
export type RegisterTest = (name: string, run: () => void) => unknown;

/** Throws an Error with `message` unless `condition` holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Throws unless both are the same bytes, or both absent; `what` begins the message. */
export function expectBytes(found: Uint8Array | undefined, expected: Uint8Array | undefined, what: string): void {
  const same = found === undefined || expected === undefined ? found === expected : equalBytes(found, expected);
  if (!same) throw new Error(`${what}: expected ${showBytes(expected)}, found ${showBytes(found)}`);
}

/** Bytes as hex for a message. */
export function showBytes(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'nothing' : `'${toHex(bytes)}'`;
}
