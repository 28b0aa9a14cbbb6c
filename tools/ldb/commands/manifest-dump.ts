/** `manifest_dump`: what a MANIFEST says. */
import { resolve } from 'node:path';
import { runAsync } from '../../../format/base/io.ts';
import { CURRENT_SIZE_MAX, decodeCurrent } from '../../../format/manifest/current-file.ts';
import { CURRENT_FILE, parseFileName } from '../../../format/manifest/file-name.ts';
import { isNotFound } from '../../../src/env/file-error.ts';
import { readWhole } from '../../../src/env/file-operations.ts';
import { statusText } from '../../lib/status-text.ts';
import { ToolFailure } from '../../lib/tool-failure.ts';
import type { LdbCommand } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { commandFailure } from '../command-failure.ts';
import { helpHint } from '../help-hint.ts';
import { printManifest } from '../manifest-text.ts';

/** Works on a MANIFEST given by path, or on a database's. Damage is told on stderr; the exit code stays 0, as RocksDB's. */
export const manifestDumpCommand: LdbCommand = {
  name: 'manifest_dump',
  usage: 'manifest_dump [--verbose] [--json] [--path=<path_to_manifest_file>]',
  group: 'admin',
  formats: ['hex', 'json'],
  flags: { verbose: { kind: 'boolean' }, path: { kind: 'text' } },
  needsDatabase: false,
  async run(context) {
    const path = await manifestPath(context);
    const verbose = context.flags.boolean('verbose');
    if (verbose && !context.json) context.out.line(`Processing Manifest file ${path}`);
    await dumpManifest(context, path);
    if (verbose && !context.json) context.out.line(`Processing Manifest file ${path} done`);
  },
};

/** The MANIFEST of `--path`, or the one of the database that CURRENT names. */
export async function manifestPath(context: CommandContext): Promise<string> {
  const given = context.flags.text('path');
  if (given !== undefined && given !== '') return given;
  if (context.path === '') throw new ToolFailure(helpHint());
  return databaseManifest(context);
}

/** The MANIFEST in force, by the path that `--db` gives it; without CURRENT the only one there is. */
export async function databaseManifest(context: CommandContext): Promise<string> {
  const { fileSystem, path } = context;
  const directory = resolve(path);
  const current = `${directory}/${CURRENT_FILE}`;
  if (await fileSystem.exists(current)) {
    return `${path}/${decodeCurrent(await runAsync(readWhole(fileSystem, current, CURRENT_SIZE_MAX)), current).name}`;
  }
  let names: string[];
  try {
    names = await fileSystem.list(directory);
  } catch (error) {
    if (isNotFound(error)) throw commandFailure(`NotFound: : Failed to list the content of ${path}`);
    throw error;
  }
  const manifests = names.filter((name) => parseFileName(name)?.kind === 'manifest');
  if (manifests.length === 1) return `${path}/${manifests[0]}`;
  throw commandFailure(
    manifests.length === 0 ? `No MANIFEST found in ${path}` : 'Multiple MANIFEST files found; use --path to select one',
  );
}

/** Prints the MANIFEST at `path`; what is wrong with it goes to stderr. */
export async function dumpManifest(context: CommandContext, path: string): Promise<void> {
  const options = { verbose: context.flags.boolean('verbose'), hex: context.keyHex, json: context.json };
  try {
    await context.requireFile(path);
    const file = await context.fileSystem.openRandom(path);
    try {
      await printManifest(file, options, context.out);
    } finally {
      await file.close();
    }
  } catch (error) {
    context.err.line(`Error in processing file ${path} ${statusText(error)}`);
  }
}
