/** `get`: the value of one key. */
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';
import { withoutTime } from '../ttl-value.ts';

/** Prints the value; a key that is not there is a failure. */
export const getCommand: LdbCommand = {
  name: 'get',
  usage: 'get <key> [--ttl]',
  group: 'data',
  formats: ['hex', 'json', 'ttl'],
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 1) throw commandFailure('<key> must be specified for the get command');
    const key = context.key(context.params[0]!);
    await using db = await context.openForRead();
    const stored = await context.family(db).get(key);
    if (stored === undefined) throw commandFailure('Get failed: NotFound: ');
    const value = context.ttl ? withoutTime(stored) : stored;
    if (context.json) context.out.line(JSON.stringify({ key: context.jsonKey(key), value: context.jsonValue(value) }));
    else context.out.line(context.shownValue(value));
  },
};
