/** A MANIFEST as JSON: plain objects made of edits and of the state they add up to. */
import { textOf } from '../../format/base/bytes.ts';
import { bytewiseComparator } from '../../format/base/comparator.ts';
import { sequenceOf, typeOf, userKeyOf } from '../../format/base/internal-key.ts';
import type { FileMetadata } from '../../format/manifest/file-metadata.ts';
import type { ManifestContents } from '../../format/manifest/manifest-reader.ts';
import type { ManifestFamily } from '../../format/manifest/manifest-state.ts';
import type { VersionEdit } from '../../format/manifest/version-edit.ts';
import { bytesText } from '../lib/bytes-text.ts';
import { upperHex } from '../lib/hex.ts';
import { sequenceText } from '../lib/internal-key-text.ts';
import { familyLevels } from './manifest-file.ts';

function keyJson(key: Uint8Array, hex: boolean): Record<string, unknown> {
  return { key: bytesText(userKeyOf(key), hex), sequence: Number(sequenceText(sequenceOf(key))), type: typeOf(key) };
}

function fileJson(file: FileMetadata, level: number, hex: boolean): Record<string, unknown> {
  return {
    level,
    number: file.number,
    size: file.sizeBytes,
    smallest: keyJson(file.smallest, hex),
    largest: keyJson(file.largest, hex),
    smallestSequence: file.smallestSequence,
    largestSequence: file.largestSequence,
    oldestAncestorTime: file.oldestAncestorTime,
    fileCreationTime: file.fileCreationTime,
    checksum: upperHex(file.checksum),
    checksumFunction: file.checksumFunction,
  };
}

/** One edit; what it does not change is absent. */
export function editJson(edit: VersionEdit, hex: boolean): Record<string, unknown> {
  const { dbId, fullHistoryTsLow, compactCursors, newFiles, skippedTags, ...rest } = edit;
  const lists = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => !(Array.isArray(value) && value.length === 0) && value !== false),
  );
  return {
    ...lists,
    ...(dbId === undefined ? {} : { dbId: textOf(dbId) }),
    ...(fullHistoryTsLow === undefined ? {} : { fullHistoryTsLow: upperHex(fullHistoryTsLow) }),
    ...(compactCursors.length === 0
      ? {}
      : { compactCursors: compactCursors.map(({ level, key }) => ({ level, ...keyJson(key, hex) })) }),
    ...(newFiles.length === 0 ? {} : { newFiles: newFiles.map(({ level, file }) => fileJson(file, level, hex)) }),
    ...(skippedTags.length === 0 ? {} : { skippedTags }),
  };
}

/** The state: counters, families, tables. */
export function stateJson({ state }: ManifestContents, hex: boolean): Record<string, unknown> {
  return {
    nextFileNumber: state.nextFileNumber,
    lastSequence: state.lastSequence,
    prevLogNumber: state.prevLogNumber,
    maxColumnFamily: state.maxColumnFamily,
    minLogNumberToKeep: state.minLogNumberToKeep,
    columnFamilies: [...state.families.values()].map((family) => familyJson(family, hex)),
  };
}

function familyJson(family: ManifestFamily, hex: boolean): Record<string, unknown> {
  const comparatorName = family.comparatorName ?? bytewiseComparator.name;
  return {
    id: family.id,
    name: family.name,
    comparator: comparatorName,
    logNumber: family.logNumber,
    files: familyLevels(family).flatMap((files, level) => files.map((file) => fileJson(file, level, hex))),
  };
}
