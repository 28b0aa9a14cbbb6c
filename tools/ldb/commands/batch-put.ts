/** `batchput`: writes several keys as one batch. */
import { WriteBatch } from '../../../src/index.ts';
import { CREATE_FLAG, type LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';
import { withTime } from '../ttl-value.ts';

/** Writes all or nothing and prints OK. */
export const batchPutCommand: LdbCommand = {
  name: 'batchput',
  usage: 'batchput <key> <value> [<key> <value>] [..] [--create_if_missing] [--ttl]',
  group: 'data',
  formats: ['hex', 'ttl'],
  flags: CREATE_FLAG,
  needsDatabase: true,
  async run(context) {
    const { params } = context;
    if (params.length < 2) throw commandFailure('At least one <key> <value> pair must be specified batchput.');
    if (params.length % 2 !== 0) {
      throw commandFailure('Equal number of <key>s and <value>s must be specified for batchput.');
    }
    const pairs: [Uint8Array, Uint8Array][] = [];
    for (let i = 0; i < params.length; i += 2) {
      const value = context.value(params[i + 1]!);
      pairs.push([context.key(params[i]!), context.ttl ? withTime(value, context.nowSeconds()) : value]);
    }
    await using db = await context.openForWrite(context.flags.boolean('create_if_missing'));
    const family = context.family(db);
    const batch = new WriteBatch();
    for (const [key, value] of pairs) batch.put(key, value, family);
    await db.write(batch);
    context.out.line('OK');
  },
};
