/** Lays the compaction iterator's tables out in kernel memory. Each function returns one allocation, the caller's to free. */
import { CompactionField as F, RangeRow, TombstoneRow } from '../format/kernel/abi/compaction-iterator.ts';
import type { Kernel } from '../format/kernel/kernel.ts';
import type { FileMetadata } from '../format/manifest/file-metadata.ts';
import { rangeOfFile } from '../format/manifest/file-range.ts';
import type { UserKeyRange } from './compaction.ts';
import type { TombstoneFragment } from '../format/iterator/range-tombstones.ts';

const SLACK = 16;

/** Snapshot sequences, ascending. */
export function layOutSnapshots(kernel: Kernel, iterator: number, snapshots: readonly number[]): number {
  const address = kernel.malloc(snapshots.length * 8 + SLACK);
  snapshots.forEach((sequence, i) => {
    kernel.f64[(address >>> 3) + i] = sequence;
  });
  setTable(kernel, iterator, F.snapshots, F.snapshotCount, address, snapshots.length);
  return address;
}

/** Range tombstones: rows, then their sequences, then the keys. */
export function layOutTombstones(kernel: Kernel, iterator: number, fragments: readonly TombstoneFragment[]): number {
  let keyBytes = 0;
  let sequenceCount = 0;
  for (const fragment of fragments) {
    keyBytes += fragment.begin.length + fragment.end.length;
    sequenceCount += fragment.sequences.length;
  }
  const rowBytes = fragments.length * TombstoneRow.size;
  const address = kernel.malloc(rowBytes + sequenceCount * 8 + keyBytes + SLACK);
  let sequenceAt = address + rowBytes;
  let keyAt = sequenceAt + sequenceCount * 8;
  fragments.forEach((fragment, i) => {
    const row = address + i * TombstoneRow.size;
    keyAt = putKey(kernel, row + TombstoneRow.begin, fragment.begin, keyAt);
    keyAt = putKey(kernel, row + TombstoneRow.end, fragment.end, keyAt);
    kernel.u32[(row + TombstoneRow.sequences) >>> 2] = sequenceAt;
    kernel.u32[(row + TombstoneRow.count) >>> 2] = fragment.sequences.length;
    for (const sequence of fragment.sequences) {
      kernel.f64[sequenceAt >>> 3] = sequence;
      sequenceAt += 8;
    }
  });
  setTable(kernel, iterator, F.tombstones, F.tombstoneCount, address, fragments.length);
  return address;
}

/** User-key ranges of older sorted runs. */
export function layOutRanges(kernel: Kernel, iterator: number, ranges: readonly UserKeyRange[]): number {
  const address = putRanges(kernel, ranges, []);
  setTable(kernel, iterator, F.deeperRanges, F.deeperRangeCount, address, ranges.length);
  return address;
}

/** Ranges and sizes of the grandparents. */
export function layOutGrandparents(kernel: Kernel, iterator: number, files: readonly FileMetadata[]): number {
  const ranges = files.map(rangeOfFile);
  const address = putRanges(
    kernel,
    ranges,
    files.map((file) => file.sizeBytes),
  );
  setTable(kernel, iterator, F.grandparents, F.grandparentCount, address, files.length);
  return address;
}

/** The user key that ends the range; `undefined`: everything is read. */
export function layOutEnd(kernel: Kernel, iterator: number, end: Uint8Array | undefined): number {
  if (end === undefined) return 0;
  const address = kernel.malloc(end.length + SLACK);
  putKey(kernel, iterator + F.endKey, end, address);
  return address;
}

function putRanges(kernel: Kernel, ranges: readonly UserKeyRange[], sizes: readonly number[]): number {
  let keyBytes = 0;
  for (const range of ranges) keyBytes += range.smallest.length + range.largest.length;
  const address = kernel.malloc(ranges.length * RangeRow.size + keyBytes + SLACK);
  let keyAt = address + ranges.length * RangeRow.size;
  ranges.forEach((range, i) => {
    const row = address + i * RangeRow.size;
    keyAt = putKey(kernel, row + RangeRow.smallest, range.smallest, keyAt);
    keyAt = putKey(kernel, row + RangeRow.largest, range.largest, keyAt);
    kernel.f64[(row + RangeRow.sizeBytes) >>> 3] = sizes[i] ?? 0;
  });
  return address;
}

/** Writes address and size of a key into its row and the key itself to `keyAt`; returns the address behind it. */
function putKey(kernel: Kernel, field: number, key: Uint8Array, keyAt: number): number {
  kernel.u32[field >>> 2] = keyAt;
  kernel.u32[(field + 4) >>> 2] = key.length;
  kernel.copyIn(key, keyAt);
  return keyAt + key.length;
}

function setTable(
  kernel: Kernel,
  iterator: number,
  field: number,
  countField: number,
  address: number,
  count: number,
): void {
  kernel.u32[(iterator + field) >>> 2] = address;
  kernel.u32[(iterator + countField) >>> 2] = count;
}
