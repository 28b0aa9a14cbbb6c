/** Merge operators beyond those of RocksDB: JSON merge patches and unions of sets. C++ RocksDB does not know them. */
import { strictTextOf, utf8 } from './bytes.ts';
import { ByteReader, ByteWriter } from './coding.ts';
import { compareBytes } from './comparator.ts';
import { type JsonTree, parseJsonTree, printJsonTree } from './json-tree.ts';
import type { MergeOperator } from './merge-operator.ts';

const JSON_MERGE_PATCH_NAME = 'pumice.JsonMergePatch';
const SET_UNION_NAME = 'pumice.SetUnion';

/**
 * Values and operands are JSON texts in UTF-8; an operand is a merge patch (RFC 7386) for the value: members of objects
 * are set, `null` removes one, anything that is not an object replaces what it meets. A key without a value begins as
 * nothing. Results are canonical: members in the order of their names (UTF-16 code units), no white space around them;
 * numbers, strings and arrays keep their characters, so that no number loses digits.
 *
 * The operator throws on bytes that are no JSON text, and on objects nested deeper than 1000.
 */
export function jsonMergePatch(): MergeOperator {
  return {
    name: JSON_MERGE_PATCH_NAME,
    fullMerge(_key, base, operands) {
      let target = base === undefined ? undefined : treeOf(base);
      for (const operand of operands) target = applyPatch(target, treeOf(operand));
      if (target === undefined) throw new RangeError('a merge without operands');
      return utf8(printJsonTree(target));
    },
    partialMerge(_key, left, right) {
      const patch = composePatches(treeOf(left), treeOf(right));
      return patch === undefined ? undefined : utf8(printJsonTree(patch));
    },
  };
}

function treeOf(bytes: Uint8Array): JsonTree {
  const text = strictTextOf(bytes);
  if (text === undefined) throw new SyntaxError('not a JSON text: malformed UTF-8');
  return parseJsonTree(text);
}

function applyPatch(target: JsonTree | undefined, patch: JsonTree): JsonTree {
  if (typeof patch === 'string') return patch;
  const result = new Map<string, JsonTree>(typeof target === 'object' ? target : []);
  for (const [name, value] of patch) {
    if (value === 'null') result.delete(name);
    else result.set(name, applyPatch(result.get(name), value));
  }
  return result;
}

/**
 * The patch that does what `left` and then `right` do. There is none where `left` replaces a value by something that is
 * no object and `right` then makes an object of it: a patch that is an object would keep members of the value.
 */
function composePatches(left: JsonTree, right: JsonTree): JsonTree | undefined {
  if (typeof right === 'string') return right;
  if (typeof left === 'string') return undefined;
  const result = new Map(left);
  for (const [name, later] of right) {
    const earlier = left.get(name);
    const both = earlier === undefined ? later : composePatches(earlier, later);
    if (both === undefined) return undefined;
    result.set(name, both);
  }
  return result;
}

/**
 * Values and operands are sets of byte strings; the result is their union. A set is its members one after the other, each
 * as a varint32 length and its bytes; no bytes are the empty set. Operands may hold members in any order and repeatedly;
 * results are canonical: bytewise ascending, each once. `encodeSet` and `decodeSet` write and read them. The operator
 * throws on bytes that are no set.
 */
export function setUnion(): MergeOperator {
  return {
    name: SET_UNION_NAME,
    fullMerge(_key, base, operands) {
      const sets = base === undefined ? operands : [base, ...operands];
      return encodeSet(sets.flatMap(decodeSet));
    },
    partialMerge: (_key, left, right) => encodeSet([...decodeSet(left), ...decodeSet(right)]),
  };
}

/** The bytes of the set of `members`, which may come in any order and repeatedly. The caller owns the result. */
export function encodeSet(members: readonly Uint8Array[]): Uint8Array {
  const sorted = members.toSorted(compareBytes);
  const writer = new ByteWriter();
  sorted.forEach((member, i) => {
    if (i > 0 && compareBytes(sorted[i - 1]!, member) === 0) return;
    writer.varint(member.length).slice(member);
  });
  return writer.toBytes();
}

/** The members of a set in the order in which they are stored, as views of `bytes`. `CORRUPTION` when it is no set. */
export function decodeSet(bytes: Uint8Array): Uint8Array[] {
  const reader = new ByteReader(bytes, 'set of byte strings');
  const members: Uint8Array[] = [];
  while (reader.remaining > 0) members.push(reader.lengthPrefixed('member'));
  return members;
}
