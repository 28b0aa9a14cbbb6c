/** `change_compaction_style`: makes the tree of a family fit another style of compaction, and stores the style. */
import type { CompactionStyle, DB } from '../../../src/index.ts';
import type { LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { commandFailure } from '../command-failure.ts';
import { levelCountOf, liveTables } from '../live-tables.ts';

/** RocksDB's numbers of the two styles that can be changed into each other. */
const STYLES: ReadonlyMap<number, CompactionStyle> = new Map([
  [0, 'level'],
  [1, 'universal'],
]);
const STYLE_FLAGS = ['old_compaction_style', 'new_compaction_style'] as const;

/** A table is never cut at this size. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Compacts everything into one sorted run, which fits either style; afterwards the database opens with the new one. */
export const changeCompactionStyleCommand: LdbCommand = {
  name: 'change_compaction_style',
  usage:
    'change_compaction_style --old_compaction_style=<0 level, 1 universal> --new_compaction_style=<0 level, 1 universal>',
  group: 'admin',
  formats: [],
  flags: {
    old_compaction_style: { kind: 'integer', refusal: ({ name }) => `Failed: ${noStyle(name)}` },
    new_compaction_style: { kind: 'integer', refusal: ({ name }) => `Failed: ${noStyle(name)}` },
  },
  needsDatabase: true,
  async run(context) {
    const [oldStyle, newStyle] = STYLE_FLAGS.map((name) => styleOf(context, name)) as [
      CompactionStyle,
      CompactionStyle,
    ];
    if (oldStyle === newStyle) {
      throw commandFailure('Old compaction style is the same as new compaction style. Nothing to do.\n');
    }
    if (newStyle === 'level') {
      throw commandFailure('Convert from universal compaction to level compaction. Nothing to do.\n');
    }
    await context.requireDatabase();
    await context.requireFamily();
    const options = await context.options();
    await compactAll(context, oldStyle);
    // The open itself stores the style, in a new OPTIONS file.
    await using db = await context.openForWrite(false, { compactionStyle: newStyle }, options);
    context.family(db);
  },
};

function styleOf(context: CommandContext, name: (typeof STYLE_FLAGS)[number]): CompactionStyle {
  const style = STYLES.get(context.flags.number(name) ?? -1);
  if (style === undefined) throw commandFailure(noStyle(name));
  return style;
}

function noStyle(name: string): string {
  const which = name.startsWith('old') ? 'old' : 'new';
  return `Use --${name} to specify ${which} compaction style. Check ldb help for proper compaction style value.\n`;
}

/** The lock comes first, then what is printed. */
async function compactAll(context: CommandContext, compactionStyle: CompactionStyle): Promise<void> {
  const changes = { compactionStyle, disableAutoCompactions: true, targetFileSizeBase: NO_LIMIT };
  await using db = await context.openForWrite(false, changes);
  context.out.line(`files per level before compaction: ${await filesPerLevel(context, db)}`);
  await context.family(db).compactRange({ bottommostLevelCompaction: 'force' });
  context.out.line(`files per level after compaction: ${await filesPerLevel(context, db)}`);
}

async function filesPerLevel(context: CommandContext, db: DB): Promise<string> {
  const counts: number[] = Array(levelCountOf(db, context.familyName)).fill(0);
  for (const { metadata } of await liveTables(context, db)) {
    if (metadata.columnFamily === context.familyName) counts[metadata.level] = counts[metadata.level]! + 1;
  }
  return counts.join(',');
}
