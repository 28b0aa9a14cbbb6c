/** `dump_live_files`: every file that the present state consists of, one after the other. */
import { resolve } from 'node:path';
import { ARCHIVE_DIRECTORY, parseFileName } from '../../../format/manifest/file-name.ts';
import { DB } from '../../../src/index.ts';
import { BLOB_FLAGS, type LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { type LiveTable, liveTables } from '../live-tables.ts';
import { printTable } from '../table-text.ts';
import { printWal } from '../wal-text.ts';
import { databaseManifest, dumpManifest } from './manifest-dump.ts';

const RULE = '==============================';

/** MANIFEST, then the tables family by family, then the logs; with `--json` an object for each file before its own. */
export const dumpLiveFilesCommand: LdbCommand = {
  name: 'dump_live_files',
  usage: 'dump_live_files [--decode_blob_index] [--dump_uncompressed_blobs]',
  group: 'admin',
  formats: ['hex', 'json'],
  flags: BLOB_FLAGS,
  needsDatabase: true,
  async run(context) {
    await using db = await context.openForRead();
    context.family(db);
    const manifest = await databaseManifest(context);
    const say = headings(context);
    say(`Manifest File\n${RULE}\n${manifest}`, { file: manifest, kind: 'manifest' });
    await dumpManifest(context, manifest);
    say('');
    const tables = await liveTables(context, db);
    for (const family of await DB.listColumnFamilies(resolve(context.path))) {
      say(`Column family name: ${family}\n${RULE}\n\nSST Files\n${RULE}`);
      await dumpTables(
        context,
        tables.filter(({ metadata }) => metadata.columnFamily === family),
      );
      say(`Blob Files\n${RULE}`);
    }
    say(`\nWrite Ahead Log Files\n${RULE}`);
    for (const log of await sortedLogs(context)) {
      say(log, { file: log, kind: 'wal' });
      await printWal(context, log, { header: true, values: true });
    }
  },
};

async function dumpTables(context: CommandContext, tables: readonly LiveTable[]): Promise<void> {
  const say = headings(context);
  for (const { path, metadata } of tables) {
    const { columnFamily, level } = metadata;
    say(`${path} level:${level}\n------------------------------`, { file: path, kind: 'table', columnFamily, level });
    await printTable(context, path);
    say('');
  }
}

/** Prints what stands above a file: text or, with `--json`, an object, where there is one. */
function headings({ json, out }: CommandContext): (text: string, object?: Record<string, unknown>) => void {
  return (text, object) => {
    if (!json) out.line(text);
    else if (object !== undefined) out.line(JSON.stringify(object));
  };
}

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
