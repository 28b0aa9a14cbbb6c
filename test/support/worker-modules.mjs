/** Components as an application's module gives them, each of which shows where it ran. Plain JavaScript, so that any thread loads it. */
import { threadId } from 'node:worker_threads';
import { readFileSync } from 'node:fs';

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Descending byte order. */
export const descending = {
  name: 'test.Descending',
  compare: (a, b) => Buffer.compare(b, a),
};

/** Joins with `options.with`. */
export function joining(options) {
  return {
    name: 'test.Joining',
    fullMerge: (_key, base, operands) =>
      utf8.encode(
        [...(base === undefined ? [] : [base]), ...operands].map((part) => text.decode(part)).join(options.with),
      ),
  };
}

/** Drops keys that end in `options.ending`, and writes the thread's id over the values `where`. */
export function filtering(options) {
  return {
    name: 'test.Filtering',
    filter(_level, key, value) {
      if (text.decode(key).endsWith(options.ending)) return 'remove';
      return text.decode(value) === 'where' ? { value: utf8.encode(`thread ${threadId}`) } : 'keep';
    },
  };
}

/** Makes filters that count how many were made. */
export function filterFactory() {
  let made = 0;
  return {
    name: 'test.FilterFactory',
    createFilter(context) {
      made++;
      const mark = utf8.encode(`${made} ${context.isFullCompaction} ${context.isManualCompaction}`);
      return { name: 'test.Marking', filter: () => ({ value: mark }) };
    },
  };
}

/** Ends the thread at the first use. */
export const deadly = {
  name: 'test.Deadly',
  fullMerge: () => process.exit(7),
};

/** A filter that waits until the file `options.gate` is gone. */
export function gated(options) {
  const nap = new Int32Array(new SharedArrayBuffer(4));
  return {
    name: 'test.Gated',
    filter() {
      while (exists(options.gate)) Atomics.wait(nap, 0, 0, 2);
      return 'keep';
    },
  };
}

function exists(path) {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A filter that fails at the key `options.key`. */
export function failing(options) {
  return {
    name: 'test.Failing',
    filter(_level, key) {
      if (text.decode(key) === options.key) throw new Error(`no verdict for ${options.key}`);
      return 'keep';
    },
  };
}
