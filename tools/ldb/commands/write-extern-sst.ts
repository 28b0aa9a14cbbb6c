/** `write_extern_sst`: makes a table of the lines of standard input, to be ingested into a database later. */
import { resolve } from 'node:path';
import { builtinComparators, bytewiseComparator, type Comparator } from '../../../format/base/comparator.ts';
import { invalidArgument } from '../../../format/base/db-error.ts';
import { makeInternalKey, ValueType } from '../../../format/base/internal-key.ts';
import { runSync } from '../../../format/base/io.ts';
import { defaultTableOptions } from '../../../format/sst/table-options.ts';
import { UNKNOWN_FAMILY_ID } from '../../../format/sst/table-properties.ts';
import { TableWriter } from '../../../format/sst/table-writer.ts';
import { replaceFile } from '../../lib/file-target.ts';
import { statusText } from '../../lib/status-text.ts';
import type { LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { commandFailure } from '../command-failure.ts';
import { parseKeyValueLine } from '../key-value-line.ts';
import { readManifestState } from '../manifest-file.ts';
import { databaseManifest } from './manifest-dump.ts';

/** What RocksDB's own writer of such tables calls itself in their properties. */
const WRITER_NAME = 'SST Writer';

/** The lines are `key ==> value`, in the order of the family's comparator, each key once. */
export const writeExternSstCommand: LdbCommand = {
  name: 'write_extern_sst',
  usage: 'write_extern_sst <output_sst_path>',
  group: 'admin',
  flags: {},
  needsDatabase: true,
  async run(context) {
    if (context.params.length !== 1) throw commandFailure('output SST file path must be specified');
    const path = context.params[0]!;
    const comparator = await familyComparator(context);
    const target = await replaceFile(context.fileSystem, resolve(path));
    try {
      const badLines = await writeTable(context, target.file, comparator);
      if (badLines > 0) context.err.line(`Warning: ${badLines} bad lines ignored.`);
    } catch (error) {
      await context.fileSystem.unlink(resolve(path));
      throw commandFailure(`failed to add record to file: ${statusText(error)}`);
    } finally {
      await target.close();
    }
    context.err.line(`external SST file written to ${path}`);
  },
};

/** The order of the family in the database, which the table must have. */
async function familyComparator(context: CommandContext): Promise<Comparator> {
  const { state } = await readManifestState(context.fileSystem, resolve(await databaseManifest(context)));
  const family = [...state.families.values()].find(({ name }) => name === context.familyName);
  if (family === undefined) throw commandFailure(`Non-existing column family ${context.familyName}`);
  const comparator = builtinComparators.get(family.comparatorName ?? bytewiseComparator.name);
  if (comparator === undefined) throw commandFailure(`comparator ${family.comparatorName} is not built in`);
  return comparator;
}

/** Writes all lines; returns how many were none. INVALID_ARGUMENT when keys are out of order. */
async function writeTable(
  context: CommandContext,
  file: ConstructorParameters<typeof TableWriter>[0],
  comparator: Comparator,
): Promise<number> {
  const now = context.nowSeconds();
  const writer = new TableWriter(file, defaultTableOptions, {
    comparator,
    familyId: UNKNOWN_FAMILY_ID,
    familyName: '',
    creationTime: now,
    oldestKeyTime: now,
    fileCreationTime: now,
    dbId: WRITER_NAME,
    dbSessionId: '',
    dbHostId: '',
    fileNumber: 1,
    externalFile: true,
  });
  let badLines = 0;
  let previous: Uint8Array | undefined;
  try {
    for await (const line of context.streams.lines()) {
      const pair = parseKeyValueLine(context, line);
      if (pair === undefined) {
        badLines++;
        continue;
      }
      if (previous !== undefined && comparator.compare(previous, pair.key) >= 0) {
        throw invalidArgument('Keys must be added in strict ascending order.');
      }
      runSync(writer.add(makeInternalKey(pair.key, 0, ValueType.value), pair.value));
      previous = pair.key;
    }
    if (previous === undefined) throw invalidArgument('Cannot create sst file with no entries');
    runSync(writer.finish());
    file.syncSync('full');
    return badLines;
  } finally {
    writer.abandon();
  }
}
