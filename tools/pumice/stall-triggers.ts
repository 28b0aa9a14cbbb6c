/** When writes are slowed down and stopped: the limits that the database was last opened with. */
import { join } from 'node:path';
import { runAsync } from '../../format/base/io.ts';
import { parseFileName } from '../../format/manifest/file-name.ts';
import { readWhole } from '../../src/env/file-operations.ts';
import type { FileSystem } from '../../src/env/file-system.ts';
import { OPTION_TABLE } from '../../src/options/option-table.ts';
import { OPTIONS_FILE_SIZE_MAX, parseOptionsFile } from '../../src/options/options-file.ts';

const NAMES = [
  'level0SlowdownWritesTrigger',
  'level0StopWritesTrigger',
  'softPendingCompactionBytesLimit',
  'hardPendingCompactionBytesLimit',
] as const;

/** The limits of one family; a limit of bytes that is 0 is none. */
export type StallTriggers = Readonly<Record<(typeof NAMES)[number], number>>;

/** Limits by family, from the newest OPTIONS file; the defaults for families that it does not know. Errors are the file's. */
export async function readStallTriggers(
  fileSystem: FileSystem,
  directory: string,
): Promise<(family: string) => StallTriggers> {
  let newest: { number: number; name: string } | undefined;
  for (const name of await fileSystem.list(directory)) {
    const parsed = parseFileName(name);
    if (parsed?.kind === 'options' && parsed.number >= (newest?.number ?? 0)) newest = parsed;
  }
  if (newest === undefined) return () => triggersOf(new Map());
  const path = join(directory, newest.name);
  const { families } = parseOptionsFile(await runAsync(readWhole(fileSystem, path, OPTIONS_FILE_SIZE_MAX)), path);
  return (family) => triggersOf(families.find(({ name }) => name === family)?.columnFamily ?? new Map());
}

function triggersOf(section: ReadonlyMap<string, string>): StallTriggers {
  const values = NAMES.map((name) => {
    const option = OPTION_TABLE.get(name)!;
    const text = section.get(option.file?.[1] ?? '');
    const value = Number(text);
    return [name, text === undefined || Number.isNaN(value) ? (option.default as number) : value];
  });
  return Object.fromEntries(values) as StallTriggers;
}
