/** Range tombstones as reads ask for them: fragmented once for each memtable state and each open table, and kept. */
import type { Comparator } from '../../format/base/comparator.ts';
import { clipToFile, FragmentedTombstones } from '../../format/iterator/range-tombstones.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import type { TableReader } from '../../format/sst/table-reader.ts';
import type { MemTable } from '../memtable/memtable.ts';

const ofMemtables = new WeakMap<
  MemTable,
  { from: readonly unknown[]; count: number; fragments: FragmentedTombstones }
>();
const ofTables = new WeakMap<TableReader, FragmentedTombstones>();

/** The fragments of a memtable's tombstones, or `undefined` for none. */
export function memtableFragments(memtable: MemTable, comparator: Comparator): FragmentedTombstones | undefined {
  const tombstones = memtable.rangeTombstones();
  if (tombstones.length === 0) return undefined;
  const known = ofMemtables.get(memtable);
  if (known !== undefined && known.from === tombstones && known.count === tombstones.length) return known.fragments;
  const fragments = new FragmentedTombstones(comparator, tombstones);
  ofMemtables.set(memtable, { from: tombstones, count: tombstones.length, fragments });
  return fragments;
}

/** The fragments of a table's tombstones, clipped to the file's boundaries, or `undefined` for none. */
export function tableFragments(
  reader: TableReader,
  file: FileMetadata,
  comparator: Comparator,
): FragmentedTombstones | undefined {
  if (reader.rangeTombstones.length === 0) return undefined;
  let fragments = ofTables.get(reader);
  if (fragments === undefined) {
    const clipped = clipToFile(comparator, reader.rangeTombstones, file.smallest, file.largest);
    fragments = new FragmentedTombstones(comparator, clipped);
    ofTables.set(reader, fragments);
  }
  return fragments;
}
