/** `put`: writes one key. */
import { CREATE_FLAG, type LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';
import { withTime } from '../ttl-value.ts';

/** Writes and prints OK. */
export const putCommand: LdbCommand = {
  name: 'put',
  usage: 'put <key> <value> [--create_if_missing] [--ttl]',
  group: 'data',
  formats: ['hex', 'ttl'],
  flags: CREATE_FLAG,
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 2) throw commandFailure('<key> and <value> must be specified for the put command');
    const key = context.key(context.params[0]!);
    const value = context.value(context.params[1]!);
    await using db = await context.openForWrite(context.flags.boolean('create_if_missing'));
    await context.family(db).put(key, context.ttl ? withTime(value, context.nowSeconds()) : value);
    context.out.line('OK');
  },
};
