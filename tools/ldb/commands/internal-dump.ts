/** `idump`: every version of the keys of a range, as tables and logs hold them. */
import { utf8 } from '../../../format/base/bytes.ts';
import { userKeyOf } from '../../../format/base/internal-key.ts';
import { parsePrefixedHex, upperHex } from '../../lib/hex.ts';
import { internalKeyText } from '../../lib/internal-key-text.ts';
import { BLOB_FLAGS, type LdbCommand, RANGE_FLAGS } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { CountByPrefix } from '../count-by-prefix.ts';
import { entryJson } from '../entry-json.ts';
import { printStats } from '../stats-text.ts';
import { visitInternalEntries } from '../internal-entries.ts';

/** One line an entry, then their number. */
export const internalDumpCommand: LdbCommand = {
  name: 'idump',
  usage:
    'idump [--from] [--to] [--input_key_hex] [--max_keys=<N>] [--count_only] [--count_delim=<char>] [--stats] [--decode_blob_index]',
  group: 'admin',
  formats: ['hex', 'json'],
  flags: {
    ...RANGE_FLAGS,
    input_key_hex: { kind: 'boolean' },
    max_keys: { kind: 'integer' },
    count_only: { kind: 'boolean' },
    count_delim: { kind: 'text', bare: '.' },
    stats: { kind: 'boolean' },
    decode_blob_index: BLOB_FLAGS.decode_blob_index!,
  },
  needsDatabase: true,
  async run(context) {
    const { flags, out, json } = context;
    if (flags.boolean('stats')) await showStats(context);
    const maxKeys = flags.number('max_keys') ?? 0;
    const delimiter = flags.text('count_delim');
    const groups = delimiter === undefined ? undefined : new CountByPrefix(context, delimiter);
    const countOnly = flags.boolean('count_only');
    let count = 0;
    await visitInternalEntries(context, rangeOf(context), async (key, value) => {
      count++;
      if (groups !== undefined) groups.add(userKeyOf(key), value.length);
      else if (!countOnly) printEntry(context, key, value);
      if (out.full) await out.flush();
      return maxKeys <= 0 || count < maxKeys;
    });
    if (groups !== undefined) groups.finish();
    else if (!json) out.line(`Internal keys in range: ${count}`);
    else if (countOnly) out.line(JSON.stringify({ internalKeys: count }));
  },
};

/** Only `--input_key_hex` says how the bounds are given; `--hex` is about what is printed. */
function rangeOf(context: CommandContext): { from: Uint8Array | undefined; to: Uint8Array | undefined } {
  const hex = context.flags.boolean('input_key_hex');
  const bound = (name: string): Uint8Array | undefined => {
    const text = context.flags.text(name);
    if (text === undefined || text === '') return undefined;
    return hex ? parsePrefixedHex(text) : utf8(text);
  };
  return { from: bound('from'), to: bound('to') };
}

async function showStats(context: CommandContext): Promise<void> {
  await using db = await context.openForRead();
  printStats(context, context.family(db));
}

function printEntry(context: CommandContext, key: Uint8Array, value: Uint8Array): void {
  if (context.json) context.out.line(entryJson(context, key, value));
  else context.out.line(...internalKeyText(key, context.keyHex), ' => ', context.valueHex ? upperHex(value) : value);
}
