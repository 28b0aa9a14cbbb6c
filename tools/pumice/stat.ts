/** `pumice stat`: figures of a database at rest. */
import type { ColumnFamily } from '../../src/index.ts';
import { ToolFailure } from '../lib/tool-failure.ts';
import type { ToolStreams } from '../lib/tool-process.ts';
import { familyNames, openToLook } from './read-database.ts';

/** Properties that are shown of each family when none is asked for. */
const SHOWN = [
  'estimate-num-keys',
  'total-sst-files-size',
  'estimate-live-data-size',
  'num-entries-active-mem-table',
  'estimate-pending-compaction-bytes',
  'estimate-table-readers-mem',
] as const;

function figuresOf(family: ColumnFamily): Record<string, string> {
  return Object.fromEntries(SHOWN.map((name) => [`rocksdb.${name}`, family.getProperty(`rocksdb.${name}`) ?? '']));
}

/** Prints the figures. A `ToolFailure` for a property that does not exist. */
export async function stat(
  path: string,
  properties: readonly string[],
  json: boolean,
  { out }: ToolStreams,
): Promise<number> {
  const names = await familyNames(path);
  await using db = await openToLook(path);
  const families = names.map((name) => {
    const family = db.columnFamily(name);
    if (properties.length === 0) return { name, figures: figuresOf(family) };
    const figures = properties.map((property) => {
      const value = family.getProperty(property);
      if (value === undefined) throw new ToolFailure(`Failed: no property is named ${property}`);
      return [property, value] as const;
    });
    return { name, figures: Object.fromEntries(figures) };
  });
  const logs = (await db.getSortedWalFiles()).map(({ path: log, sizeBytes }) => ({ path: log, sizeBytes }));
  const { latestSequence } = db;
  if (json) {
    out.line(JSON.stringify({ path: db.path, latestSequence, logs, families }, undefined, 2));
    return 0;
  }
  out.line(`DB path: [${db.path}]`);
  out.line(`Latest sequence: ${latestSequence}`);
  out.line(`Logs: ${logs.length}, ${logs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)} bytes`);
  for (const { name, figures } of families) {
    out.line(`\nColumn family [${name}]`);
    for (const [property, value] of Object.entries(figures)) {
      out.line(value.includes('\n') ? `${property}:\n${value}` : `${property}: ${value}`);
    }
  }
  return 0;
}
