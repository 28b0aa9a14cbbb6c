/** `reduce_levels`: gives a family fewer levels. */
import type { Options } from '../../../src/index.ts';
import type { LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { commandFailure } from '../command-failure.ts';
import { levelCountOf, liveTables } from '../live-tables.ts';

const NO_LEVELS = ' Use --new_levels to specify a new level number\n';

/** Compacts everything into the last level that stays, then stores the new number of levels. */
export const reduceLevelsCommand: LdbCommand = {
  name: 'reduce_levels',
  usage: 'reduce_levels --new_levels=<New number of levels> [--print_old_levels]',
  group: 'admin',
  formats: [],
  flags: {
    new_levels: { kind: 'integer', refusal: () => `Failed: ${NO_LEVELS}` },
    print_old_levels: { kind: 'boolean' },
  },
  needsDatabase: true,
  async run(context) {
    const newLevels = context.flags.number('new_levels');
    if (newLevels === undefined || newLevels <= 0) throw commandFailure(NO_LEVELS);
    if (newLevels <= 1) throw commandFailure('Invalid number of levels.\n');
    const old = await levelsInUse(context);
    if (context.flags.boolean('print_old_levels')) {
      context.out.line(`The old number of levels in use is ${old.inUse}`);
    }
    if (newLevels >= old.count) return;
    const options = await context.options();
    if (old.inUse > newLevels) {
      context.out.line('Compacting the db...');
      await moveUp(context, newLevels - 1);
      const { inUse } = await levelsInUse(context);
      if (inUse > newLevels) throw commandFailure(`Level ${inUse - 1} still has tables after compaction`);
    }
    await storeLevels(context, newLevels, options);
  },
};

/**
 * Opens the database with the new number, which stores it. The MANIFEST still tells of tables deeper down that are gone;
 * the first open, in which nothing may go down there again, begins one that does not.
 */
async function storeLevels(context: CommandContext, numLevels: number, options: Options): Promise<void> {
  await (await context.openForWrite(false, { numLevels, disableAutoCompactions: true })).close();
  await using db = await context.openForWrite(false, { numLevels }, options);
  if (levelCountOf(db, context.familyName) > numLevels) {
    throw commandFailure(`The database still has more than ${numLevels} levels`);
  }
}

/** Compacts everything and moves it to `level`; nothing may push it down again meanwhile. */
async function moveUp(context: CommandContext, level: number): Promise<void> {
  await using db = await context.openForWrite(false, { disableAutoCompactions: true });
  await context.family(db).compactRange({ changeLevel: true, targetLevel: level });
}

/** How many levels the family has, and how many of them down to the last one with tables. */
async function levelsInUse(context: CommandContext): Promise<{ count: number; inUse: number }> {
  await using db = await context.openForRead();
  context.family(db);
  const own = (await liveTables(context, db)).filter(({ metadata }) => metadata.columnFamily === context.familyName);
  const deepest = own.reduce((most, { metadata }) => Math.max(most, metadata.level), -1);
  return { count: levelCountOf(db, context.familyName), inUse: deepest + 1 };
}
