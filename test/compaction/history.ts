/**
 * A plain model of a family: every version and range tombstone ever written, and what a reader sees at a sequence. Slow
 * and obvious; compactions are judged by it.
 */
import { stringAppend } from '../../format/base/builtin-merge-operators.ts';
import { ValueType } from '../../format/base/internal-key.ts';
import type { RangeTombstone } from '../../format/iterator/range-tombstones.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import { type KeySpace, plainKeys } from './key-space.ts';

/** One version of a key, as text. */
export interface Version {
  readonly key: string;
  readonly sequence: number;
  readonly type: number;
  readonly value: string;
}

/** A range tombstone, as text; the end is exclusive. */
export interface TextTombstone {
  readonly begin: string;
  readonly end: string;
  readonly sequence: number;
}

export const operator = stringAppend(',');
const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Everything that was written. */
export class History {
  readonly versions: Version[] = [];
  readonly tombstones: TextTombstone[] = [];

  /** What a reader sees of `key` at `snapshot`. */
  read(key: string, snapshot: number): string | undefined {
    return readVersions(this.versions, this.tombstones, key, snapshot);
  }
}

/** What versions and tombstones, in any order, mean for a key at a snapshot. */
export function readVersions(
  versions: readonly Version[],
  tombstones: readonly TextTombstone[],
  key: string,
  snapshot: number,
): string | undefined {
  let hiddenBelow = -1;
  for (const { begin, end, sequence } of tombstones) {
    if (begin <= key && key < end && sequence <= snapshot) hiddenBelow = Math.max(hiddenBelow, sequence);
  }
  const visible = versions
    .filter((v) => v.key === key && v.sequence <= snapshot && v.sequence > hiddenBelow)
    .sort((a, b) => b.sequence - a.sequence);
  const operands: string[] = [];
  for (const { type, value } of visible) {
    if (type === ValueType.merge) {
      operands.unshift(value);
      continue;
    }
    const base = type === ValueType.value ? value : undefined;
    return operands.length > 0 ? fold(key, base, operands) : base;
  }
  return operands.length > 0 ? fold(key, undefined, operands) : undefined;
}

function fold(key: string, base: string | undefined, operands: readonly string[]): string {
  const bytes = operands.map((operand) => utf8.encode(operand));
  return text.decode(operator.fullMerge(utf8.encode(key), base === undefined ? undefined : utf8.encode(base), bytes));
}

/** A memtable of these versions and tombstones; the caller frees it. */
export function makeMemtable(
  versions: readonly Version[],
  tombstones: readonly TextTombstone[],
  keys: KeySpace = plainKeys,
): number {
  const kernel = getKernel();
  const memtable = kernel.x.memtableCreate(keys.comparatorId, 65536) >>> 0;
  const at = kernel.malloc(1 << 16);
  const insert = (sequence: number, type: number, key: Uint8Array, value: Uint8Array) => {
    kernel.copyIn(key, at);
    kernel.copyIn(value, at + key.length);
    kernel.x.memtableInsert(memtable, sequence, type, at, key.length, at + key.length, value.length);
  };
  for (const v of versions) insert(v.sequence, v.type, keys.encode(v.key), utf8.encode(v.value));
  for (const t of tombstones) insert(t.sequence, ValueType.rangeDeletion, keys.encode(t.begin), keys.encode(t.end));
  kernel.free(at);
  return memtable;
}

/** Text forms of tombstones read from tables. */
export function textTombstones(tombstones: readonly RangeTombstone[], keys: KeySpace): TextTombstone[] {
  return tombstones.map(({ begin, end, sequence }) => ({
    begin: keys.decode(begin),
    end: keys.decode(end),
    sequence,
  }));
}
