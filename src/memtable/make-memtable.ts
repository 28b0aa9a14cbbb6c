/** Makes memtables of the kind that a family's options ask for. */
import type { Comparator } from '../../format/base/comparator.ts';
import { BTREE_MEMTABLE_NAME, type MemTableFactory } from '../../format/base/memtable-rep.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';
import { BTreeMemTable } from './btree-memtable.ts';
import type { MemTable } from './memtable.ts';
import { type MemTableFilter, type MemTableFilterSpec, makeMemTableFilter } from './memtable-filter.ts';
import { RepMemTable } from './rep-memtable.ts';

/** What a memtable is made from. */
export interface MemTableSpec extends MemTableFilterSpec {
  comparator: Comparator;
  comparatorId: number;
  factory: MemTableFactory | undefined;
}

/** A new, empty memtable with one reference. */
export function makeMemTable(kernel: Kernel, spec: MemTableSpec): MemTable {
  const filter = makeMemTableFilter(kernel, spec);
  try {
    return makeKind(kernel, spec, filter);
  } catch (error) {
    filter?.close();
    throw error;
  }
}

function makeKind(kernel: Kernel, spec: MemTableSpec, filter: MemTableFilter | undefined): MemTable {
  const { factory } = spec;
  if (factory === undefined || factory.name === BTREE_MEMTABLE_NAME) {
    return new BTreeMemTable(kernel, spec.comparatorId, spec.writeBufferSize, filter);
  }
  return new RepMemTable(kernel, factory, spec.comparator, spec.comparatorId, spec.prefixExtractor, filter);
}
