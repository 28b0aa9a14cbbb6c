/** One write as plain data: what the model applies, what a batch carries, and what a failure prints. */

import type { WriteBatch } from '../../src/index.ts';
import { fromBinary } from './key-space.ts';
import type { ModelFamily } from './model-family.ts';

/** A single write to one family; keys are binary strings. */
export type Operation =
  | { kind: 'put'; family: string; key: string; value: Uint8Array }
  | { kind: 'delete'; family: string; key: string }
  | { kind: 'singleDelete'; family: string; key: string }
  | { kind: 'deleteRange'; family: string; key: string; end: string }
  | { kind: 'merge'; family: string; key: string; value: Uint8Array };

/** What a merge record means in a family. */
export type ModelMerge = (base: Uint8Array | undefined, operand: Uint8Array) => Uint8Array;

/** RocksDB's stringappend: values joined by a comma. */
export const stringAppend: ModelMerge = (base, operand) => {
  if (base === undefined) {
    return operand;
  }
  const joined = new Uint8Array(base.length + 1 + operand.length);
  joined.set(base);
  joined[base.length] = 0x2c;
  joined.set(operand, base.length + 1);
  return joined;
};

/** RocksDB's uint64add: little-endian 64-bit sums that wrap; anything that is not 8 bytes counts as 0. */
export const uint64Add: ModelMerge = (base, operand) => {
  const sum = new Uint8Array(8);
  const number = (bytes: Uint8Array | undefined): bigint =>
    bytes?.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true) : 0n;
  new DataView(sum.buffer).setBigUint64(0, BigInt.asUintN(64, number(base) + number(operand)), true);
  return sum;
};

/** Applies one write to the model of its family. */
export function applyToModel(family: ModelFamily, merge: ModelMerge, operation: Operation): void {
  switch (operation.kind) {
    case 'put':
      family.put(operation.key, operation.value);
      break;
    case 'delete':
    case 'singleDelete':
      family.delete(operation.key);
      break;
    case 'deleteRange':
      family.deleteRange(operation.key, operation.end);
      break;
    case 'merge':
      family.put(operation.key, merge(family.get(operation.key), operation.value));
      break;
  }
}

/** Adds one write to a batch. */
export function addToBatch(batch: WriteBatch, operation: Operation): void {
  const key = fromBinary(operation.key);
  switch (operation.kind) {
    case 'put':
      batch.put(key, operation.value, operation.family);
      break;
    case 'delete':
      batch.delete(key, operation.family);
      break;
    case 'singleDelete':
      batch.singleDelete(key, operation.family);
      break;
    case 'deleteRange':
      batch.deleteRange(key, fromBinary(operation.end), operation.family);
      break;
    case 'merge':
      batch.merge(key, operation.value, operation.family);
      break;
  }
}

/** A write in one line, for the report of a failure. */
export function describeOperation(operation: Operation): string {
  const key = Buffer.from(operation.key, 'latin1').toString('hex');
  const more =
    operation.kind === 'deleteRange'
      ? ` to ${Buffer.from(operation.end, 'latin1').toString('hex')}`
      : 'value' in operation
        ? ` ${operation.value.length} bytes`
        : '';
  return `${operation.kind} ${operation.family} ${key}${more}`;
}
