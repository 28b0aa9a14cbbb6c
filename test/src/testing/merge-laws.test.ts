/** The laws of merge operators, held by those that ship and broken by planted ones. */
import { describe, expect, test } from 'vitest';
import {
  bytesXorOperator,
  maxOperator,
  putOperator,
  stringAppend,
  uint64AddOperator,
} from '../../../format/base/builtin-merge-operators.ts';
import { encodeSet, jsonMergePatch, setUnion } from '../../../format/base/extra-merge-operators.ts';
import type { MergeOperator } from '../../../format/base/merge-operator.ts';
import { checkMergeLaws } from '../../../src/testing/index.ts';
import { utf8 } from '../../support/bytes.ts';
import { Random, seedFor } from '../../support/random.ts';

const seed = seedFor(30);
const random = new Random(seed);

/** A small JSON value; objects often, so that patches meet patches. */
function randomJson(depth: number): unknown {
  if (depth === 0 || random.oneIn(3))
    return random.pick([null, null, true, 0, 1.5e300, 'x', '', [], [1, null], [{ b: null }]]);
  const members = Array.from({ length: random.below(4) }, () => [random.pick('abcd'.split('')), randomJson(depth - 1)]);
  return Object.fromEntries(members);
}

const patches = Array.from({ length: 200 }, () => utf8(JSON.stringify(randomJson(3))));
const members = ['', 'a', 'b', 'ab', '\u00ff', 'long member'].map(utf8);
const sets = Array.from({ length: 50 }, () => encodeSet(members.filter(() => random.oneIn(3))));

test.each([uint64AddOperator, stringAppend(), stringAppend('; '), putOperator, maxOperator, bytesXorOperator])(
  '$name keeps the laws',
  (operator) => checkMergeLaws(operator, { seed }),
);

test('pumice.JsonMergePatch keeps the laws', () => {
  checkMergeLaws(jsonMergePatch(), { operands: patches, bases: patches, seed, rounds: 3000 });
});

test('pumice.SetUnion keeps the laws', () => {
  checkMergeLaws(setUnion(), { operands: sets, bases: sets, seed });
});

const append = stringAppend('');

describe('what breaks a law is found and shown', () => {
  const planted: [what: string, operator: Partial<MergeOperator>, message: RegExp][] = [
    [
      'a partial merge in the wrong order',
      { partialMerge: (k, l, r) => append.partialMerge!(k, r, l) },
      /partialMerge \('/,
    ],
    [
      'a full merge that is no fold',
      { fullMerge: (k, base, operands) => append.fullMerge(k, base, operands.toReversed()) },
      /fullMerge of the first/,
    ],
    [
      'an argument that is changed',
      {
        fullMerge(key, base, operands) {
          operands[0]?.fill(0);
          return append.fullMerge(key, base, operands);
        },
      },
      /an argument after fullMerge/,
    ],
    [
      'an array of operands that is emptied',
      {
        fullMerge(key, base, operands) {
          const result = append.fullMerge(key, base, operands);
          operands.length = 0;
          return result;
        },
      },
      /its array of operands/,
    ],
    [
      'a result that is an argument',
      { fullMerge: (_k, _b, operands) => operands[operands.length - 1]!, partialMerge: (_k, _l, r) => r },
      /reused/,
    ],
    [
      'a memory of earlier calls',
      (() => {
        let calls = 0;
        return { fullMerge: () => new Uint8Array([calls++]) };
      })(),
      /a second fullMerge/,
    ],
    ['a result that is no array', { fullMerge: () => 'text' as unknown as Uint8Array }, /returned string/],
    ['nothing', { fullMerge: () => undefined as unknown as Uint8Array }, /returned nothing/],
    [
      'an exception',
      {
        fullMerge: () => {
          throw new Error('no such number');
        },
      },
      /no such number/,
    ],
  ];
  test.each(planted)('%s', (_what, change, message) => {
    const operator = { ...append, name: 'planted', ...change };
    expect(() => checkMergeLaws(operator, { seed })).toThrow(message);
    expect(() => checkMergeLaws(operator, { seed })).toThrow(
      /merge operator planted: [\s\S]*\n {2}key '.*\n {2}base .*\n {2}operands '/,
    );
  });

  test('an operator without partialMerge is judged by fullMerge alone', () => {
    checkMergeLaws({ name: 'plain', fullMerge: append.fullMerge }, { seed });
    expect(() => checkMergeLaws(append, { operands: [] })).toThrow(/needs keys and operands/);
  });
});
