/** `compact`: compacts a range of keys, or all, down to the last level. */
import { type LdbCommand, RANGE_FLAGS } from '../command.ts';

/** Prints nothing when it is done. */
export const compactCommand: LdbCommand = {
  name: 'compact',
  usage: 'compact [--from] [--to]',
  group: 'admin',
  formats: ['hex'],
  flags: RANGE_FLAGS,
  needsDatabase: true,
  async run(context) {
    const [begin, end] = [context.keyFlag('from'), context.keyFlag('to')];
    await using db = await context.openForWrite();
    await context.family(db).compactRange({ begin, end, bottommostLevelCompaction: 'force' });
  },
};
