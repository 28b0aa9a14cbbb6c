/**
 * The records that a new MANIFEST begins with: the whole state, since a MANIFEST must be readable without its
 * predecessors. The edit that caused the new MANIFEST follows them and carries the counters.
 */
import type { Version } from './version.ts';
import { type CompactCursor, emptyEdit, type VersionEdit } from './version-edit.ts';

/** What the snapshot says of one live family. */
export interface FamilySnapshot {
  readonly id: number;
  readonly name: string;
  readonly comparatorName: string;
  readonly logNumber: number;
  readonly version: Version;
  readonly compactCursors?: Iterable<CompactCursor>;
}

/** The state to write. */
export interface DatabaseSnapshot {
  /** Written first when given (`write_dbid_to_manifest`). */
  readonly dbId?: Uint8Array | undefined;
  /** Tracked WALs; none when they are not tracked. */
  readonly wals?: ReadonlyMap<number, number | undefined>;
  /** Every live family, the default one first. */
  readonly families: readonly FamilySnapshot[];
  readonly minLogNumberToKeep: number;
  readonly lastSequence: number;
}

/** The edits in order: id, WALs, then two for each family: what it is, and what it holds. */
export function manifestSnapshot(state: DatabaseSnapshot): VersionEdit[] {
  const edits: VersionEdit[] = [];
  if (state.dbId !== undefined) edits.push({ ...emptyEdit(), dbId: state.dbId });
  if (state.wals !== undefined && state.wals.size > 0) {
    const walAdditions = [...state.wals].map(([number, syncedSize]) => ({ number, syncedSize }));
    edits.push({ ...emptyEdit(), walAdditions });
  }
  for (const family of state.families) edits.push(identityEdit(family), contentEdit(family, state));
  return edits;
}

function identityEdit(family: FamilySnapshot): VersionEdit {
  const edit = { ...emptyEdit(family.id), comparator: family.comparatorName };
  return family.id === 0 ? edit : { ...edit, columnFamilyAdd: family.name };
}

function contentEdit(family: FamilySnapshot, state: DatabaseSnapshot): VersionEdit {
  const edit = emptyEdit(family.id);
  family.version.levels.forEach((files, level) => {
    for (const file of files) edit.newFiles.push({ level, file });
  });
  edit.compactCursors.push(...(family.compactCursors ?? []));
  edit.logNumber = family.logNumber;
  if (family.id === 0 && state.minLogNumberToKeep !== 0) edit.minLogNumberToKeep = state.minLogNumberToKeep;
  edit.lastSequence = state.lastSequence;
  return edit;
}
