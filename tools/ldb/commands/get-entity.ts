/**
 * `get_entity`: the columns of a key. Wide columns are not supported, so there is one, without a name, which is what newer
 * versions of RocksDB's tool show of a plain value, too.
 */
import { upperHex } from '../../lib/hex.ts';
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';
import { withoutTime } from '../ttl-value.ts';

/** Prints `name:value`. */
export const getEntityCommand: LdbCommand = {
  name: 'get_entity',
  usage: 'get_entity <key> [--ttl]',
  group: 'data',
  formats: ['hex', 'json', 'ttl'],
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 1) throw commandFailure('<key> must be specified for the get_entity command');
    await using db = await context.openForRead();
    const stored = await context.family(db).get(context.key(context.params[0]!));
    if (stored === undefined) throw commandFailure('GetEntity failed: NotFound: ');
    const value = context.ttl ? withoutTime(stored) : stored;
    if (context.json) context.out.line(JSON.stringify({ '': context.jsonValue(value) }));
    else context.out.line(':', context.valueHex ? upperHex(value) : value);
  },
};

/** `put_entity`: refused. */
export const putEntityCommand: LdbCommand = {
  name: 'put_entity',
  usage: 'put_entity (not supported: there are no wide columns; use put)',
  group: 'data',
  formats: [],
  flags: {},
  needsDatabase: false,
  async run() {
    throw commandFailure('Not implemented: wide columns are not supported; put writes a plain value');
  },
};
