/**
 * Puts a family's tables into a tree that reads right, without knowing at which levels they stood. Tables that overlap no
 * other go to the last level as they are. Where tables overlap, sequences alone do not tell which is to be asked first (a
 * table deep in the tree may hold one newer write than a table above it), so overlapping tables are merged, entry by
 * entry, as a full compaction does.
 */
import type { Compaction } from '../../../compaction/compaction.ts';
import { runCompaction } from '../../../compaction/compaction-job.ts';
import { DBError } from '../../../format/base/db-error.ts';
import { type Io, inPlace } from '../../../format/base/io.ts';
import { tableFileName } from '../../../format/manifest/file-name.ts';
import { rangeOfFile } from '../../../format/manifest/file-range.ts';
import { hasExclusiveLargest } from '../../../format/manifest/level-bounds.ts';
import type { Version } from '../../../format/manifest/version.ts';
import { VersionBuilder } from '../../../format/manifest/version-builder.ts';
import { emptyEdit } from '../../../format/manifest/version-edit.ts';
import { componentsOf, type Salvage, SalvageIo, type SalvagedFamily, type SalvagedTable } from './salvage.ts';

/** A family's tree. */
export interface ArrangedFamily {
  family: SalvagedFamily;
  version: Version;
  /** The tables in it. */
  tables: SalvagedTable[];
  /** Tables of the directory whose content others hold now. */
  replaced: SalvagedTable[];
}

/** Arranges the tables of one family. */
export function* arrangeTables(salvage: Salvage, family: SalvagedFamily): Io<ArrangedFamily> {
  const lastLevel = family.options.numLevels - 1;
  const arranged: ArrangedFamily = { family, version: undefined as never, tables: [], replaced: [] };
  for (const group of groupsOf(family, lastLevel)) {
    if (group.length === 1) {
      arranged.tables.push(group[0]!);
      continue;
    }
    arranged.tables.push(...(yield* mergeTables(salvage, family, group, lastLevel)));
    arranged.replaced.push(...group.filter(({ made }) => !made));
  }
  arranged.version = versionOf(family, arranged.tables, lastLevel);
  return arranged;
}

/** Tables that belong together, each group apart from the others in keys; with one level only, all unless it bears them. */
function groupsOf(family: SalvagedFamily, lastLevel: number): SalvagedTable[][] {
  const { tables } = family;
  if (lastLevel > 0) return overlappingGroups(family);
  try {
    versionOf(family, tables, 0);
    return tables.map((table) => [table]);
  } catch (error) {
    if (!(error instanceof DBError) || error.code !== 'CORRUPTION') throw error;
    return [tables];
  }
}

function overlappingGroups({ tables, comparator }: SalvagedFamily): SalvagedTable[][] {
  const sorted = tables.toSorted((a, b) =>
    comparator.compare(rangeOfFile(a.file).smallest, rangeOfFile(b.file).smallest),
  );
  const groups: SalvagedTable[][] = [];
  let reach: SalvagedTable | undefined;
  for (const table of sorted) {
    const order =
      reach === undefined ? -1 : comparator.compare(rangeOfFile(reach.file).largest, rangeOfFile(table.file).smallest);
    if (reach === undefined || order < 0 || (order === 0 && hasExclusiveLargest(reach.file))) groups.push([table]);
    else groups[groups.length - 1]!.push(table);
    const further =
      reach === undefined || comparator.compare(rangeOfFile(table.file).largest, rangeOfFile(reach.file).largest) > 0;
    const sameButInclusive =
      reach !== undefined &&
      hasExclusiveLargest(reach.file) &&
      comparator.compare(rangeOfFile(table.file).largest, rangeOfFile(reach.file).largest) === 0;
    if (further || sameButInclusive) reach = table;
  }
  return groups;
}

function* mergeTables(
  salvage: Salvage,
  family: SalvagedFamily,
  tables: readonly SalvagedTable[],
  level: number,
): Io<SalvagedTable[]> {
  const { options } = family;
  const compaction: Compaction = {
    familyId: family.id,
    familyName: family.name,
    kind: 'merge',
    reason: 'ManualCompaction',
    inputs: [{ level: 0, files: tables.map(({ file }) => file) }],
    outputLevel: level,
    outputPathId: 0,
    targetFileSize: level === 0 ? Number.POSITIVE_INFINITY : options.targetFileSizeBase,
    maxCompactionBytes: Number.POSITIVE_INFINITY,
    compression: options.bottommostCompression ?? options.compressionPerLevel.at(-1) ?? options.compression,
    compressionOptions: options.table.compressionOptions,
    grandparents: [],
    bottommost: true,
    deeperRanges: [],
    score: 0,
    manual: true,
  };
  const job = runCompaction(
    new SalvageIo(salvage, family, tables),
    compaction,
    salvage.settingsOf(family),
    componentsOf(family),
  );
  const { outputs } = yield* inPlace(job);
  return outputs.map((file) => ({ file, path: `${salvage.stagingPath}/${tableFileName(file.number)}`, made: true }));
}

function versionOf(family: SalvagedFamily, tables: readonly SalvagedTable[], level: number): Version {
  const builder = new VersionBuilder();
  builder.apply({ ...emptyEdit(family.id), newFiles: tables.map(({ file }) => ({ level, file })) });
  return builder.finish(family.comparator, family.options.numLevels);
}
