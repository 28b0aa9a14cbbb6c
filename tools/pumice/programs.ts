/** The programs that `pumice <name>` starts. Each is a program of its own; pumice loads it, as a shell would, and knows no more of it. */
import { extname } from 'node:path';

/** Modules by name of the program, relative to this file, without the ending that they have as source or compiled. */
const MODULES: ReadonlyMap<string, string> = new Map([
  ['ldb', '../ldb/main'],
  ['sst_dump', '../sst-dump/main'],
  ['db_bench', '../../bench/db-bench/main'],
  ['db_stress', '../stress/main'],
  ['crash_test', '../stress/crash-main'],
]);

/** Their names. */
export const PROGRAM_NAMES: readonly string[] = [...MODULES.keys()];

/** Where the program is, `undefined` for a name that is none. */
export function programUrl(name: string): URL | undefined {
  const module = MODULES.get(name);
  return module === undefined ? undefined : new URL(`${module}${extname(import.meta.url)}`, import.meta.url);
}
