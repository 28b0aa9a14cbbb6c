/** `approxsize`: roughly how many bytes of tables hold a range of keys. */
import type { LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** Prints the number of bytes; data that is only in logs does not count. */
export const approxSizeCommand: LdbCommand = {
  name: 'approxsize',
  usage: 'approxsize --from=<key> --to=<key>',
  group: 'data',
  formats: ['hex', 'json'],
  flags: { from: { kind: 'text', bare: '' }, to: { kind: 'text', bare: '' } },
  needsDatabase: true,
  async run(context) {
    const [begin, end] = [context.keyFlag('from'), context.keyFlag('to')];
    if (begin === undefined) throw commandFailure('from must be specified for approxsize command');
    if (end === undefined) throw commandFailure('to must be specified for approxsize command');
    await using db = await context.openForRead();
    const [bytes] = db.getApproximateSizes([{ begin, end }], { columnFamily: context.family(db) });
    context.out.line(context.json ? JSON.stringify({ bytes }) : String(bytes));
  },
};
