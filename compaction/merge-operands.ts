/**
 * Folding merge operands, for reads and compactions alike: the user's operator is called with checked arguments, and
 * whatever goes wrong in it becomes a `DBError` that names the operator.
 */
import { DBError } from '../format/base/db-error.ts';
import type { MergeOperator } from '../format/base/merge-operator.ts';

/**
 * The value of `key` that `operandsOldestFirst` make of `base` (`undefined`: no value). The result is the caller's; the
 * arguments are borrowed. `INVALID_ARGUMENT` without an operator, `MERGE_FAILED` when it throws or returns no bytes.
 */
export function foldMerge(
  operator: MergeOperator | undefined,
  key: Uint8Array,
  base: Uint8Array | undefined,
  operandsOldestFirst: Uint8Array[],
): Uint8Array {
  if (!operator) throw missingMergeOperator();
  return callOperator(operator, () => operator.fullMerge(key, base, operandsOldestFirst));
}

/**
 * One operand equal in effect to all of `operandsOldestFirst`, or `undefined` when the operator cannot combine them.
 * Errors as `foldMerge`.
 */
export function foldPartially(
  operator: MergeOperator | undefined,
  key: Uint8Array,
  operandsOldestFirst: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!operator) throw missingMergeOperator();
  let combined = operandsOldestFirst[0];
  if (combined === undefined || !operator.partialMerge) return undefined;
  for (let i = 1; i < operandsOldestFirst.length; i++) {
    const left: Uint8Array = combined;
    const right = operandsOldestFirst[i]!;
    let unable = false;
    const next = callOperator(operator, () => {
      const result = operator.partialMerge?.(key, left, right);
      unable = result === undefined;
      return result ?? left;
    });
    if (unable) return undefined;
    combined = next;
  }
  return combined;
}

function callOperator(operator: MergeOperator, call: () => Uint8Array): Uint8Array {
  let result: unknown;
  try {
    result = call();
  } catch (cause) {
    throw new DBError('MERGE_FAILED', `merge operator ${operator.name} threw`, { cause });
  }
  if (result instanceof Uint8Array) return result;
  throw new DBError('MERGE_FAILED', `merge operator ${operator.name} returned ${typeof result}, expected a Uint8Array`);
}

function missingMergeOperator(): DBError {
  return new DBError('INVALID_ARGUMENT', 'a merge record was met but the column family has no mergeOperator option');
}
