/** What a database that is not open says of its families: for layers that must know them before they open it. */
import { silentLogger } from '../env/logger.ts';
import { DbContext } from '../options/db-context.ts';
import type { Options } from '../options/options.ts';
import { resolveOptions } from '../options/resolve-options.ts';
import { readCurrentManifest } from './current-manifest.ts';
import { absolutePath, inspectDirectory } from './directory-check.ts';
import { readStoredOptions } from './stored-options.ts';

/** A family as the MANIFEST and the OPTIONS file have it. */
export interface StoredFamily {
  name: string;
  /** The text that stands for its merge operator, e.g. `{id=StringAppendOperator;delimiter=,;}`; `undefined`: none known. */
  mergeOperator: string | undefined;
}

/** The families of the database in `given`, in the order they were made; none where there is no database. Only reads. */
export async function storedFamilies(given: string, options: Options): Promise<StoredFamily[]> {
  const path = absolutePath(given);
  const { db } = await resolveOptions(options);
  const context = new DbContext(path, db, db.logger ?? silentLogger);
  const found = await inspectDirectory(context.fs, path);
  if (!found.hasCurrent) return [];
  const state = await readCurrentManifest(context);
  const stored = await readStoredOptions(context, found.names);
  return [...state.families.values()]
    .sort((a, b) => a.id - b.id)
    .map(({ name }) => {
      const section = stored?.families.find((family) => family.name === name)?.columnFamily;
      const text = section?.get('merge_operator');
      return { name, mergeOperator: text === '' || text === 'nullptr' ? undefined : text };
    });
}
