/** What it means to be refused: a DBError with the right code and words, and a directory that is as it was. */

import { expect } from 'vitest';
import { DBError, type DBErrorCode } from '../../../src/index.ts';
import { directoryFingerprint } from '../../support/directory-hash.ts';

/** Runs `action`, which may throw or reject, and gives back its error. Fails when there is none. */
export async function errorOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

/** Fails unless `action` is refused with a `DBError` of this code whose message matches `words`. */
export async function expectRefused(action: () => unknown, code: DBErrorCode, words: RegExp): Promise<void> {
  const error = await errorOf(action);
  expect(error, String(error)).toBeInstanceOf(DBError);
  expect(`${(error as DBError).code}: ${(error as DBError).message}`).toMatch(words);
  expect((error as DBError).code).toBe(code);
}

/** Everything in a directory but the LOG files, which tell of the refusal. */
export function contentOf(directory: string): string[] {
  return directoryFingerprint(directory).filter((line) => !/^LOG(\.old\.\d+)? /.test(line));
}

/** The same as `expectRefused`, and the directory must not change. */
export async function expectRefusedUnchanged(
  directory: string,
  action: () => unknown,
  code: DBErrorCode,
  words: RegExp,
): Promise<void> {
  const before = contentOf(directory);
  await expectRefused(action, code, words);
  expect(contentOf(directory)).toEqual(before);
}
