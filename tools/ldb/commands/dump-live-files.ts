/** `dump_live_files`: every file that the present state consists of, one after the other. */
import { resolve } from 'node:path';
import { ARCHIVE_DIRECTORY, parseFileName } from '../../../format/manifest/file-name.ts';
import { DB } from '../../../src/index.ts';
import type { LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { liveTables } from '../live-tables.ts';
import { printTable } from '../table-text.ts';
import { printWal } from '../wal-text.ts';
import { databaseManifest, dumpManifest } from './manifest-dump.ts';

const RULE = '==============================';

/** MANIFEST, then the tables family by family, then the logs. */
export const dumpLiveFilesCommand: LdbCommand = {
  name: 'dump_live_files',
  usage: 'dump_live_files',
  group: 'admin',
  flags: {},
  needsDatabase: true,
  async run(context) {
    const { out, path } = context;
    await using db = await context.openForRead();
    const manifest = await databaseManifest(context);
    out.line(`Manifest File\n${RULE}\n${manifest}`);
    await dumpManifest(context, manifest);
    out.line();
    const tables = await liveTables(context, db);
    for (const family of await DB.listColumnFamilies(resolve(path))) {
      out.line(`Column family name: ${family}\n${RULE}\n\nSST Files\n${RULE}`);
      for (const { path: table, metadata } of tables) {
        if (metadata.columnFamily !== family) continue;
        out.line(`${table} level:${metadata.level}\n------------------------------`);
        await printTable(context, table);
        out.line();
      }
      out.line(`Blob Files\n${RULE}`);
    }
    out.line(`\nWrite Ahead Log Files\n${RULE}`);
    for (const log of await sortedLogs(context)) {
      out.line(log);
      await printWal(context, log, { header: true, values: true });
    }
  },
};

/** Paths of the logs that are not empty, archived ones included, by number. */
async function sortedLogs({ fileSystem, path }: CommandContext): Promise<string[]> {
  const logs: { number: number; path: string }[] = [];
  for (const folder of [path, `${path}/${ARCHIVE_DIRECTORY}`]) {
    if (!(await fileSystem.exists(resolve(folder)))) continue;
    for (const name of await fileSystem.list(resolve(folder))) {
      const parsed = parseFileName(name);
      if (parsed?.kind !== 'wal' || (await fileSystem.stat(resolve(folder, name))).size === 0) continue;
      logs.push({ number: parsed.number, path: `${folder}/${name}` });
    }
  }
  return logs.sort((a, b) => a.number - b.number).map((log) => log.path);
}
