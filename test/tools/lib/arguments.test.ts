/** Command lines are taken apart as RocksDB's tools do it: only `--name` and `--name=value` are flags. */
import { describe, expect, test } from 'vitest';
import { Flags, type FlagTable, splitArguments } from '../../../tools/lib/arguments.ts';
import { flagHelp } from '../../../tools/lib/flag-help.ts';
import { ToolFailure } from '../../../tools/lib/tool-failure.ts';

const table: FlagTable = {
  hex: { kind: 'boolean', help: 'Hex.' },
  max_keys: { kind: 'integer', value: '<n>', help: 'Most keys.' },
  ratio: { kind: 'number' },
  from: { kind: 'text' },
};

function flagsOf(...args: string[]): Flags {
  return new Flags(splitArguments(args).flags, table, ({ name }) => new ToolFailure(`unknown ${name}`));
}

describe('command lines', () => {
  test('flags may stand anywhere, a value never stands alone', () => {
    const { flags, words } = splitArguments(['--db=x', 'get', '--hex', '-key', 'a=b', '--from=a=b', '--']);
    expect(words).toEqual(['get', '-key', 'a=b']);
    expect(flags).toEqual([
      { name: 'db', value: 'x' },
      { name: 'hex', value: undefined },
      { name: 'from', value: 'a=b' },
      { name: '', value: undefined },
    ]);
  });

  test('booleans are on, off or spelled out', () => {
    expect(flagsOf().boolean('hex')).toBe(false);
    expect(flagsOf().boolean('hex', true)).toBe(true);
    expect(flagsOf('--hex').boolean('hex')).toBe(true);
    expect(flagsOf('--nohex').boolean('hex', true)).toBe(false);
    expect(flagsOf('--hex=false').boolean('hex', true)).toBe(false);
    expect(flagsOf('--hex=1').boolean('hex')).toBe(true);
    expect(() => flagsOf('--hex=perhaps')).toThrow('Failed: hex must be true or false.');
  });

  test('the last of a name counts', () => {
    expect(flagsOf('--from=a', '--from=b').text('from')).toBe('b');
    expect(flagsOf('--from=').text('from')).toBe('');
    expect(flagsOf().text('from')).toBeUndefined();
    expect(flagsOf('--from=x').has('from')).toBe(true);
  });

  test('numbers are whole or not, and nothing else', () => {
    expect(flagsOf('--max_keys=-1').number('max_keys')).toBe(-1);
    expect(flagsOf('--ratio=0.25').number('ratio')).toBe(0.25);
    for (const bad of ['', 'x', '1.5', '1e3']) {
      expect(() => flagsOf(`--max_keys=${bad}`), bad).toThrow('Failed: max_keys has an invalid value.');
    }
    expect(() => flagsOf('--max_keys=99999999999999999999')).toThrow('Failed: max_keys has a value out-of-range.');
    expect(() => flagsOf('--ratio= ')).toThrow('Failed: ratio has an invalid value.');
    expect(() => flagsOf('--max_keys')).toThrow('needs a value');
  });

  test('a flag may have words of its own for a bad value', () => {
    const own: FlagTable = { level: { kind: 'integer', refusal: ({ name, value }, why) => `${name} ${value} ${why}` } };
    const take = (argument: string): Flags =>
      new Flags(splitArguments([argument]).flags, own, ({ name }) => new ToolFailure(name));
    expect(take('--level=3').number('level')).toBe(3);
    expect(() => take('--level=x')).toThrow(/^level x invalid$/);
    expect(() => take('--level')).toThrow(/^level undefined missing$/);
    expect(() => take('--level=99999999999999999999')).toThrow(/^level 9+ out of range$/);
  });

  test('unknown flags are refused, inherited names of objects too', () => {
    for (const bad of ['--bogus', '--constructor', '--toString=1', '--nobogus', '--nomax_keys', '--__proto__']) {
      expect(() => flagsOf(bad), bad).toThrow(/^unknown /);
    }
  });

  test('the help comes from the table', () => {
    expect(flagHelp(table)).toBe('    --hex\n      Hex.\n\n    --max_keys=<n>\n      Most keys.\n\n');
  });
});
