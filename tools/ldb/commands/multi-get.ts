/** `multi_get`: the values of several keys, all from one point in time. */
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';
import { withoutTime } from '../ttl-value.ts';

/** One line a key, in the order given. */
export const multiGetCommand: LdbCommand = {
  name: 'multi_get',
  usage: 'multi_get <key_1> <key_2> <key_3> ... [--ttl]',
  group: 'data',
  formats: ['hex', 'json', 'ttl'],
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length === 0) throw commandFailure('At least one <key> must be specified for multi_get.');
    const keys = context.params.map((word) => context.key(word));
    await using db = await context.openForRead();
    const values = await context.family(db).multiGet(keys);
    for (const [index, stored] of values.entries()) {
      const value = stored !== undefined && context.ttl ? withoutTime(stored) : stored;
      if (context.json) {
        const found = value === undefined ? null : context.jsonValue(value);
        context.out.line(JSON.stringify({ key: context.jsonKey(keys[index]!), value: found }));
      } else if (value === undefined) context.out.line('Key not found: ', context.shownKey(keys[index]!));
      else context.out.line(context.shownValue(value));
    }
  },
};
