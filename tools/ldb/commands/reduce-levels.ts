/** `reduce_levels`: gives a family fewer levels. */
import { commandFailure, type LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { levelCountOf, liveTables } from '../live-tables.ts';

/** Compacts everything into the last level that stays, then stores the new number of levels. */
export const reduceLevelsCommand: LdbCommand = {
  name: 'reduce_levels',
  usage: 'reduce_levels --new_levels=<New number of levels> [--print_old_levels]',
  group: 'admin',
  flags: { new_levels: { kind: 'integer' }, print_old_levels: { kind: 'boolean' } },
  needsDatabase: true,
  async run(context) {
    const newLevels = context.flags.number('new_levels');
    if (newLevels === undefined) throw commandFailure(' Use --new_levels to specify a new level number\n');
    if (newLevels <= 1) throw commandFailure('Invalid number of levels.\n');
    const old = await levelsInUse(context);
    if (context.flags.boolean('print_old_levels')) {
      context.out.line(`The old number of levels in use is ${old.inUse}`);
    }
    if (newLevels >= old.count) return;
    if (old.inUse > newLevels) {
      context.out.line('Compacting the db...');
      await using db = await context.openForWrite();
      const range = { changeLevel: true, targetLevel: newLevels - 1 };
      await context.family(db).compactRange(range);
    }
    await using db = await context.openForWrite(false, { numLevels: newLevels });
    context.family(db);
  },
};

/** How many levels the family has, and how many of them down to the last one with tables. */
async function levelsInUse(context: CommandContext): Promise<{ count: number; inUse: number }> {
  await using db = await context.openForRead();
  context.family(db);
  const own = (await liveTables(context, db)).filter(({ metadata }) => metadata.columnFamily === context.familyName);
  const deepest = own.reduce((most, { metadata }) => Math.max(most, metadata.level), -1);
  return { count: levelCountOf(db, context.familyName), inUse: deepest + 1 };
}
