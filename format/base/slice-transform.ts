/** Extracts the prefix that prefix Blooms and prefix iteration work on. Its name is stored in table properties. */
export interface SliceTransform {
  readonly name: string;
  /** The prefix of a key that is in the domain; may be a view of `key`. */
  transform(key: Uint8Array): Uint8Array;
  inDomain(key: Uint8Array): boolean;
}

/** The first `length` bytes; shorter keys have no prefix. */
export function fixedPrefix(length: number): SliceTransform {
  return {
    name: `rocksdb.FixedPrefix.${length}`,
    transform: (key) => key.subarray(0, length),
    inDomain: (key) => key.length >= length,
  };
}

/** The first `length` bytes, or the whole of a shorter key. */
export function cappedPrefix(length: number): SliceTransform {
  return {
    name: `rocksdb.CappedPrefix.${length}`,
    transform: (key) => key.subarray(0, Math.min(length, key.length)),
    inDomain: () => true,
  };
}

/** The whole key is its own prefix. */
export const noopPrefix: SliceTransform = {
  name: 'rocksdb.Noop',
  transform: (key) => key,
  inDomain: () => true,
};

/** Everything up to and including the first `delimiter` byte; keys without it have no prefix. */
export function delimiterPrefix(delimiter: number): SliceTransform {
  return {
    name: `pumice.DelimiterPrefix.${delimiter}`,
    transform: (key) => key.subarray(0, key.indexOf(delimiter) + 1),
    inDomain: (key) => key.includes(delimiter),
  };
}

/** The built-in transform of a stored name, or `undefined`. Also takes the short forms `fixed:N` and `capped:N`. */
export function sliceTransformByName(name: string): SliceTransform | undefined {
  const match = /^(?:rocksdb\.)?(FixedPrefix\.|CappedPrefix\.|fixed:|capped:)(\d{1,9})$/.exec(name);
  if (match)
    return match[1]!.toLowerCase().startsWith('fixed') ? fixedPrefix(Number(match[2])) : cappedPrefix(Number(match[2]));
  if (name === noopPrefix.name || name === 'noop') return noopPrefix;
  const delimiter = /^pumice\.DelimiterPrefix\.(\d{1,3})$/.exec(name);
  return delimiter && Number(delimiter[1]) < 256 ? delimiterPrefix(Number(delimiter[1])) : undefined;
}
