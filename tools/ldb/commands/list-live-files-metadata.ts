/** `list_live_files_metadata`: the live tables by family and level, or by name. */
import { resolve } from 'node:path';
import { DB } from '../../../src/index.ts';
import type { LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { type LiveTable, levelCountOf, liveTables } from '../live-tables.ts';

/** One line a table. */
export const listLiveFilesMetadataCommand: LdbCommand = {
  name: 'list_live_files_metadata',
  usage: 'list_live_files_metadata [--sort_by_filename]',
  group: 'admin',
  formats: ['hex', 'json'],
  flags: { sort_by_filename: { kind: 'boolean' } },
  needsDatabase: true,
  async run(context) {
    await using db = await context.openForRead();
    context.family(db);
    const tables = await liveTables(context, db);
    const byName = context.flags.boolean('sort_by_filename');
    if (byName) tables.sort((a, b) => (a.path < b.path ? -1 : 1));
    if (context.json) printJson(context, tables);
    else if (byName) printByName(context, tables);
    else {
      for (const family of await DB.listColumnFamilies(resolve(context.path))) {
        const own = tables.filter(({ metadata }) => metadata.columnFamily === family);
        printFamily(context, family, levelCountOf(db, family), own);
      }
      context.out.line('------------------------------');
    }
  },
};

function printFamily(context: CommandContext, family: string, levelCount: number, tables: readonly LiveTable[]): void {
  context.out.line(`===== Column Family: ${family} =====`);
  context.out.line('Live SST Files:');
  for (let level = 0; level < levelCount; level++) {
    context.out.line(`---------- level ${level} ----------`);
    for (const { path, metadata } of tables) if (metadata.level === level) context.out.line(path);
  }
  context.out.line('Live Blob Files:');
}

function printByName(context: CommandContext, tables: readonly LiveTable[]): void {
  context.out.line('Live SST and Blob Files:');
  for (const { path, metadata } of tables) {
    context.out.line(`${path} : level ${metadata.level}, column family '${metadata.columnFamily}'`);
  }
  context.out.line('------------------------------');
}

function printJson(context: CommandContext, tables: readonly LiveTable[]): void {
  for (const { path, metadata } of tables) {
    context.out.line(
      JSON.stringify({
        path,
        columnFamily: metadata.columnFamily,
        level: metadata.level,
        size: metadata.size,
        smallestKey: context.jsonKey(metadata.smallestKey),
        largestKey: context.jsonKey(metadata.largestKey),
        smallestSequence: metadata.smallestSequence,
        largestSequence: metadata.largestSequence,
      }),
    );
  }
}
