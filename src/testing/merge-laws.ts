/**
 * What the engine relies on in a merge operator, as a check on generated cases. Operands of one key are folded wherever
 * they meet: in a read all at once, in compactions bit by bit and in any grouping. So every grouping must come to the same
 * value, or the value would depend on when a compaction ran.
 */
import { copyOf } from '../../format/base/bytes.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import { SeededRandom } from '../env/random.ts';
import { expectBytes, showBytes } from './expectation.ts';

/** What the cases are made of. Operators that cannot take any bytes need `operands` and `bases`. */
export interface MergeLawsOptions {
  /** Default: a few short keys, the empty one among them. */
  keys?: readonly Uint8Array[];
  /** Default: random bytes, half of them 8 long. */
  operands?: readonly Uint8Array[];
  /** Values that keys had before; a key without a value is always tried. Default: as `operands`. */
  bases?: readonly Uint8Array[];
  /** A failure repeats under the same seed. Default 1. */
  seed?: number;
  /** Number of cases. Default 500. */
  rounds?: number;
}

const OPERANDS_MAX = 6;

interface MergeCase {
  readonly key: Uint8Array;
  readonly base: Uint8Array | undefined;
  readonly operands: readonly Uint8Array[];
}

/**
 * Throws an Error that shows the failing case unless, for every case,
 * - the same call gives the same bytes, changes none of its arguments and returns none of their memory;
 * - folding some operands first and the others onto the result gives the same value as folding all;
 * - operands combined by `partialMerge`, where it returns any, have the effect of the two, in every grouping.
 */
export function checkMergeLaws(operator: MergeOperator, options: MergeLawsOptions = {}): void {
  const random = new SeededRandom(options.seed ?? 1);
  const samples = Array.from({ length: 40 }, (_, i) => randomBytes(random, i % 2 === 0 ? 8 : random.below(20)));
  const operands = options.operands ?? samples;
  const bases = [undefined, ...(options.bases ?? samples)];
  const keys = options.keys ?? [new Uint8Array(0), randomBytes(random, 3), randomBytes(random, 16)];
  if (operands.length === 0 || keys.length === 0) throw new Error('checkMergeLaws needs keys and operands');
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  for (let round = 0; round < (options.rounds ?? 500); round++) {
    const count = 1 + random.below(OPERANDS_MAX);
    const sample: MergeCase = {
      key: pick(keys),
      base: random.below(4) === 0 ? undefined : pick(bases),
      operands: Array.from({ length: count }, () => pick(operands)),
    };
    checkCase(operator, sample, random);
  }
}

function checkCase(operator: MergeOperator, sample: MergeCase, random: SeededRandom): void {
  try {
    const whole = fullMerge(operator, sample.key, sample.base, sample.operands);
    checkSplits(operator, sample, whole);
    checkGroupings(operator, sample, whole, random);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`merge operator ${operator.name}: ${reason}\n${showCase(sample)}`, { cause });
  }
}

/** Compactions fold the older operands onto the base before the newer ones arrive. */
function checkSplits(operator: MergeOperator, { key, base, operands }: MergeCase, whole: Uint8Array): void {
  for (let cut = 1; cut < operands.length; cut++) {
    const before = fullMerge(operator, key, base, operands.slice(0, cut));
    const after = fullMerge(operator, key, before, operands.slice(cut));
    expectBytes(after, whole, `fullMerge of the first ${cut} operands and then of the others`);
  }
}

/** Combines neighbours chosen at random until one operand is left or none can be combined. */
function checkGroupings(operator: MergeOperator, sample: MergeCase, whole: Uint8Array, random: SeededRandom): void {
  if (operator.partialMerge === undefined) return;
  const { key, base } = sample;
  const left = sample.operands.slice();
  const steps: string[] = [];
  while (left.length > 1) {
    const at = random.below(left.length - 1);
    const combined = partialMerge(operator, key, left[at]!, left[at + 1]!);
    if (combined === undefined) return;
    steps.push(`${showBytes(left[at])} + ${showBytes(left[at + 1])} -> ${showBytes(combined)}`);
    left.splice(at, 2, combined);
    const value = fullMerge(operator, key, base, left);
    expectBytes(value, whole, `fullMerge after partialMerge (${steps.join(', ')})`);
  }
}

function fullMerge(
  operator: MergeOperator,
  key: Uint8Array,
  base: Uint8Array | undefined,
  operands: readonly Uint8Array[],
): Uint8Array {
  const result = checkedCall('fullMerge', [key, ...(base === undefined ? [] : [base]), ...operands], (args) => {
    const [keyCopy, ...rest] = args;
    const baseCopy = base === undefined ? undefined : rest.shift();
    const given = rest.slice();
    const merged = operator.fullMerge(keyCopy!, baseCopy, given);
    if (given.length !== rest.length || given.some((each, i) => each !== rest[i])) {
      throw new Error('fullMerge changed its array of operands');
    }
    return merged;
  });
  if (result === undefined) throw new Error('fullMerge returned nothing, expected a Uint8Array');
  return result;
}

function partialMerge(
  operator: MergeOperator,
  key: Uint8Array,
  left: Uint8Array,
  right: Uint8Array,
): Uint8Array | undefined {
  return checkedCall('partialMerge', [key, left, right], (args) =>
    operator.partialMerge?.(args[0]!, args[1]!, args[2]!),
  );
}

/** Calls twice with copies of `args`; the results must agree, the copies stay as they were and not be part of a result. */
function checkedCall(
  what: string,
  args: readonly Uint8Array[],
  call: (args: Uint8Array[]) => Uint8Array | undefined,
): Uint8Array | undefined {
  const once = (): Uint8Array | undefined => {
    const copies = args.map(copyOf);
    const result = call(copies);
    copies.forEach((copy, i) => {
      expectBytes(copy, args[i]!, `an argument after ${what}`);
    });
    if (result === undefined) return undefined;
    if (!(result instanceof Uint8Array)) throw new Error(`${what} returned ${typeof result}, expected a Uint8Array`);
    const found = copyOf(result);
    // The engine reuses the arguments' memory after the call.
    for (const copy of copies) for (let i = 0; i < copy.length; i++) copy[i] = copy[i]! ^ 0xff;
    expectBytes(result, found, `the result of ${what} after its arguments were reused`);
    return found;
  };
  const first = once();
  expectBytes(once(), first, `a second ${what} of the same arguments`);
  return first;
}

function randomBytes(random: SeededRandom, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  random.fill(bytes);
  return bytes;
}

function showCase({ key, base, operands }: MergeCase): string {
  return `  key ${showBytes(key)}\n  base ${showBytes(base)}\n  operands ${operands.map(showBytes).join(' ')}`;
}
