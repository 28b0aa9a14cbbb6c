/** `write_extern_sst`: makes a table of the lines of standard input, to be ingested into a database later. */
import { resolve } from 'node:path';
import { builtinComparators, bytewiseComparator } from '../../../format/base/comparator.ts';
import { SstFileWriter, type SstFileWriterOptions } from '../../../src/index.ts';
import { familyPart } from '../../../src/options/resolve-options.ts';
import { statusText } from '../../lib/status-text.ts';
import { CREATE_FLAG, type LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { commandFailure } from '../command-failure.ts';
import { isOtherDumpLine, parseKeyValueLine } from '../key-value-line.ts';
import { readManifestState } from '../manifest-file.ts';
import { databaseManifest } from './manifest-dump.ts';

/** The lines are `key ==> value`, in the order of the family's comparator, each key once. */
export const writeExternSstCommand: LdbCommand = {
  name: 'write_extern_sst',
  usage: 'write_extern_sst <output_sst_path> [--create_if_missing]',
  group: 'admin',
  formats: ['hex'],
  flags: CREATE_FLAG,
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 1) throw commandFailure('output SST file path must be specified');
    const path = context.params[0]!;
    if (context.flags.boolean('create_if_missing')) await (await context.openForWrite(true)).close();
    const options = await writerOptions(context);
    await using writer = await SstFileWriter.open(resolve(path), options).catch((error) => {
      throw commandFailure(`failed to open SST file: ${statusText(error)}`);
    });
    const badLines = await addLines(context, writer);
    try {
      writer.finishSync();
    } catch (error) {
      throw commandFailure(`Failed to finish writing to file: ${statusText(error)}`);
    }
    if (badLines > 0) context.err.line(`Warning: ${badLines} bad lines ignored.`);
    context.err.line(`external SST file written to ${path}`);
  },
};

/** The family in the database, whose order the table must have. */
async function writerOptions(context: CommandContext): Promise<SstFileWriterOptions> {
  await context.requireDatabase();
  const { state } = await readManifestState(context.fileSystem, resolve(await databaseManifest(context)));
  for (const [id, { name, comparatorName }] of state.families) {
    if (name !== context.familyName) continue;
    const comparator = builtinComparators.get(comparatorName ?? bytewiseComparator.name);
    if (comparator === undefined) throw commandFailure(`comparator ${comparatorName} is not built in`);
    const { columnFamilies, ...general } = await context.options();
    const own = { ...columnFamilies?.[name] };
    return { ...familyPart(general), ...own, comparator, columnFamily: { id, name } };
  }
  throw commandFailure(`Non-existing column family ${context.familyName}`);
}

/** Adds all lines; returns how many were none. */
async function addLines(context: CommandContext, writer: SstFileWriter): Promise<number> {
  let badLines = 0;
  for await (const line of context.streams.lines()) {
    const pair = parseKeyValueLine(context, line);
    if (pair === undefined) {
      if (!isOtherDumpLine(line)) badLines++;
      continue;
    }
    try {
      writer.putSync(pair.key, pair.value);
    } catch (error) {
      throw commandFailure(`failed to write record to file: ${statusText(error)}`);
    }
  }
  return badLines;
}
