/** Makes memtables as a family's options ask for them. */
import type { Kernel } from '../../format/kernel/kernel.ts';
import { makeMemTable } from '../memtable/make-memtable.ts';
import type { MemTable } from '../memtable/memtable.ts';
import type { ColumnFamilyState } from './column-family.ts';

/** A new, empty memtable for a family, with one reference. RangeError when the kernel's memory is exhausted. */
export function makeFamilyMemTable(
  kernel: Kernel,
  { comparator, comparatorId, options }: Pick<ColumnFamilyState, 'comparator' | 'comparatorId' | 'options'>,
): MemTable {
  return makeMemTable(kernel, {
    comparator,
    comparatorId,
    factory: options.memtableFactory,
    prefixExtractor: options.prefixExtractor?.value,
    writeBufferSize: options.writeBufferSize,
    prefixBloomSizeRatio: options.memtablePrefixBloomSizeRatio,
    wholeKeyFiltering: options.memtableWholeKeyFiltering,
  });
}
