/** JSON merge patches against the examples of RFC 7386, and unions of sets. */
import { describe, expect, test } from 'vitest';
import { mergeOperatorByName } from '../../../format/base/builtin-merge-operators.ts';
import { decodeSet, encodeSet, jsonMergePatch, setUnion } from '../../../format/base/extra-merge-operators.ts';
import { hex, unhex, utf8 } from '../../support/bytes.ts';

const KEY = utf8('key');
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function patched(base: string | undefined, ...operands: string[]): string {
  return textOf(jsonMergePatch().fullMerge(KEY, base === undefined ? undefined : utf8(base), operands.map(utf8)));
}

function composed(left: string, right: string): string | undefined {
  const patch = jsonMergePatch().partialMerge?.(KEY, utf8(left), utf8(right));
  return patch && textOf(patch);
}

/** RFC 7386, appendix A: original, patch, result. */
const RFC_EXAMPLES: [string, string, string][] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"a":1,"e":null}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

describe('S115 JSON merge patches', () => {
  test.each(RFC_EXAMPLES)('%s patched with %s', (original, patch, result) => {
    expect(patched(original, patch)).toBe(result);
  });

  test('a key without a value begins as nothing', () => {
    expect(patched(undefined, '{"a":1,"b":null}')).toBe('{"a":1}');
    expect(patched(undefined, '[1]', '{"a":{"b":null}}')).toBe('{"a":{}}');
  });

  test('results are canonical, and no number or string is rewritten', () => {
    const base = ' { "z" : 12345678901234567890 , "a\\u0062" : [ 1e400, "}]" , {"y":null} ] }\n';
    expect(patched(base, '{"m":-0.10, "é":"\\u00e9\\"", "":true}')).toBe(
      '{"":true,"ab":[ 1e400, "}]" , {"y":null} ],"m":-0.10,"z":12345678901234567890,"é":"\\u00e9\\""}',
    );
    expect(patched('{}', '{"__proto__":{"x":1},"a":1,"a":2}')).toBe('{"__proto__":{"x":1},"a":2}');
    expect(patched(' 5 ', ' false ')).toBe('false');
  });

  test('patches are composed where one patch can do what two do', () => {
    expect(composed('{"a":1,"b":{"c":1}}', '{"b":{"c":null,"d":2},"e":null}')).toBe(
      '{"a":1,"b":{"c":null,"d":2},"e":null}',
    );
    expect(composed('{"a":{"b":1}}', '{"a":null}')).toBe('{"a":null}');
    expect(composed('{"a":1}', '[]')).toBe('[]');
    // After null, 1 or [] a patch that is an object would keep members that are gone.
    for (const left of ['null', '1', '[]']) {
      expect(composed(left, '{"b":1}')).toBeUndefined();
      expect(composed(`{"a":${left}}`, '{"a":{"b":1}}')).toBeUndefined();
    }
  });

  test('what is no JSON text is refused without showing it', () => {
    for (const text of ['', '{', '{"a":secret}', '01', '"a', '\ufeff1', "{'a':1}"]) {
      expect(() => patched('{}', text)).toThrow(/^not a JSON text$/);
      expect(() => patched(text, '{}')).toThrow(/^not a JSON text$/);
    }
    expect(() => jsonMergePatch().fullMerge(KEY, undefined, [unhex('22ff22')])).toThrow(/malformed UTF-8/);
    const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    expect(patched(nested(1000), '{}')).toBe(nested(1000));
    expect(() => patched(nested(1001), '{}')).toThrow(/nest deeper than 1000/);
    const arrays = '['.repeat(5000) + ']'.repeat(5000);
    expect(patched(undefined, arrays)).toBe(arrays);
  });
});

describe('S115 unions of sets', () => {
  const setOf = (...members: string[]): Uint8Array => encodeSet(members.map(utf8));
  const membersOf = (set: Uint8Array): string[] => decodeSet(set).map(textOf);

  test('the bytes are lengths and members, ascending, each once', () => {
    expect(hex(setOf('b', 'aa', '', 'b', 'a'))).toBe('0001610261610162');
    expect(hex(encodeSet([]))).toBe('');
    const long = 'x'.repeat(300);
    expect(hex(setOf(long)).slice(0, 4)).toBe('ac02');
    expect(membersOf(setOf(long, 'y'))).toEqual([long, 'y']);
  });

  test('base and operands are united, in whatever order their members are', () => {
    const unsorted = unhex('0162016101620163');
    const union = setUnion().fullMerge(KEY, setOf('d'), [unsorted, setOf(), setOf('e', 'a')]);
    expect(membersOf(union)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(setUnion().partialMerge?.(KEY, unsorted, setOf('0'))).toEqual(setOf('0', 'a', 'b', 'c'));
    expect(setUnion().fullMerge(KEY, undefined, [setOf()])).toEqual(setOf());
  });

  test('what is no set is refused', () => {
    for (const bytes of ['02ff', '01', 'ffffffffff01', '0161ff']) {
      const damaged = expect.objectContaining({ code: 'CORRUPTION' });
      expect(() => decodeSet(unhex(bytes))).toThrow(damaged);
      expect(() => setUnion().fullMerge(KEY, undefined, [unhex(bytes)])).toThrow(damaged);
    }
  });
});

test('S115 operators are found by the names that files store', () => {
  expect(mergeOperatorByName('pumice.JsonMergePatch')?.name).toBe('pumice.JsonMergePatch');
  expect(mergeOperatorByName('pumice.SetUnion')?.name).toBe('pumice.SetUnion');
});
