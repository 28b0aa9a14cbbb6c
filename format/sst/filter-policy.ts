/** Names of filter policies: as metaindex keys and properties have them, and what they mean. */
import type { FilterPolicy } from './table-options.ts';

/** The one name under which full and partitioned filters of Bloom and Ribbon are written. */
export const FILTER_COMPATIBILITY_NAME = 'rocksdb.BuiltinBloomFilter';

/** Suffixes of `fullfilter.` and `partitionedfilter.` that mean RocksDB's own filters. */
const compatibleNames: ReadonlySet<string> = new Set([
  FILTER_COMPATIBILITY_NAME,
  'rocksdb.internal.LegacyBloomFilter',
  'rocksdb.internal.FastLocalBloomFilter',
  'rocksdb.internal.Standard128RibbonFilter',
  'rocksdb.internal.DeprecatedBlockBasedBloomFilter',
  'bloomfilter',
  'ribbonfilter',
]);

/** Whether a filter stored under `name` is one that the kernel can probe. */
export function isBuiltinFilter(name: string): boolean {
  return compatibleNames.has(name) || name.startsWith('bloomfilter:') || name.startsWith('ribbonfilter:');
}

/** The property `rocksdb.filter.policy`. */
export function filterPolicyName(policy: FilterPolicy | undefined): string {
  return policy === undefined ? '' : policy.type === 'ribbon' ? 'ribbonfilter' : 'bloomfilter';
}
