/** The merge operators that RocksDB ships, with its names, so that its databases open without being told. */
import { compareBytes } from './comparator.ts';
import { jsonMergePatch, setUnion } from './extra-merge-operators.ts';
import type { MergeOperator } from './merge-operator.ts';

const EMPTY = new Uint8Array(0);

function readUint64(bytes: Uint8Array | undefined): bigint {
  // RocksDB counts an operand or base of another size as 0.
  if (bytes === undefined || bytes.length !== 8) return 0n;
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
}

/** 8-byte little-endian unsigned sum, modulo 2^64; a missing base is 0. */
export const uint64AddOperator: MergeOperator = {
  name: 'UInt64AddOperator',
  fullMerge(_key, base, operands) {
    let sum = readUint64(base);
    for (const operand of operands) sum += readUint64(operand);
    const result = new Uint8Array(8);
    new DataView(result.buffer).setBigUint64(0, BigInt.asUintN(64, sum), true);
    return result;
  },
  partialMerge(key, left, right) {
    return uint64AddOperator.fullMerge(key, left, [right]);
  },
};

function join(parts: readonly Uint8Array[], delimiter: Uint8Array): Uint8Array {
  let size = delimiter.length * (parts.length - 1);
  for (const part of parts) size += part.length;
  const result = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    if (i > 0) {
      result.set(delimiter, at);
      at += delimiter.length;
    }
    result.set(parts[i]!, at);
    at += parts[i]!.length;
  }
  return result;
}

/** Base (if any), then each operand, oldest first, joined with `delimiter` (default a comma). */
export function stringAppend(delimiter = ','): MergeOperator {
  const separator = new TextEncoder().encode(delimiter);
  return {
    // The delimiter is part of the stored identity, as in RocksDB's OPTIONS file.
    name: `{id=StringAppendOperator;delimiter=${delimiter};}`,
    fullMerge: (_key, base, operands) => join(base === undefined ? operands : [base, ...operands], separator),
    partialMerge: (_key, left, right) => join([left, right], separator),
  };
}

/** The last operand wins. */
export const putOperator: MergeOperator = {
  name: 'PutOperator',
  fullMerge: (_key, _base, operands) => operands[operands.length - 1]!.slice(),
  partialMerge: (_key, _left, right) => right.slice(),
};

/** The bytewise greatest of base and operands. */
export const maxOperator: MergeOperator = {
  name: 'MaxOperator',
  fullMerge(_key, base, operands) {
    let greatest = base ?? EMPTY;
    for (const operand of operands) if (compareBytes(operand, greatest) > 0) greatest = operand;
    return greatest.slice();
  },
  partialMerge: (_key, left, right) => (compareBytes(left, right) >= 0 ? left : right).slice(),
};

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const result = long.slice();
  for (let i = 0; i < short.length; i++) result[i] = result[i]! ^ short[i]!;
  return result;
}

/** Byte by byte exclusive or; the shorter side counts as padded with zeros. */
export const bytesXorOperator: MergeOperator = {
  name: 'BytesXOR',
  fullMerge: (_key, base, operands) => operands.reduce(xor, base ?? EMPTY).slice(),
  partialMerge: (_key, left, right) => xor(left, right),
};

const BY_NAME: ReadonlyMap<string, MergeOperator> = new Map([
  ['uint64add', uint64AddOperator],
  ['UInt64AddOperator', uint64AddOperator],
  ['put', putOperator],
  ['put_v1', putOperator],
  ['PutOperator', putOperator],
  ['max', maxOperator],
  ['MaxOperator', maxOperator],
  ['bytesxor', bytesXorOperator],
  ['BytesXOR', bytesXorOperator],
  ['pumice.JsonMergePatch', jsonMergePatch()],
  ['pumice.SetUnion', setUnion()],
]);

/** The built-in operator of an API name or of a name stored by RocksDB, or `undefined`. */
export function mergeOperatorByName(name: string): MergeOperator | undefined {
  const known = BY_NAME.get(name);
  if (known !== undefined) return known;
  if (['stringappend', 'StringAppendOperator', 'stringappendtest', 'StringAppendTESTOperator'].includes(name)) {
    return stringAppend();
  }
  const stored = /^\{id=StringAppend(?:TEST)?Operator;delimiter=(.*);\}$/s.exec(name);
  return stored ? stringAppend(stored[1]) : undefined;
}
