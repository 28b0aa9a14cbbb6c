/** Names of filter policies: as metaindex keys and properties have them, and what they mean. */
import type { FilterPolicy, TableOptions } from './table-options.ts';

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

/** The `bloomBeforeLevel` with which a Ribbon policy makes Bloom filters only (INT_MAX). */
export const ALWAYS_BLOOM = 0x7fff_ffff;

/** The filter that a table of these options carries; `undefined` none. */
export function filterTypeOf(options: TableOptions): FilterPolicy['type'] | undefined {
  const { filterPolicy: policy, filterLevel, skipFilters } = options;
  if (policy === undefined || skipFilters) return undefined;
  if (policy.type === 'bloom') return 'bloom';
  const bloomBefore = policy.bloomBeforeLevel ?? 0;
  return filterLevel < bloomBefore || bloomBefore === ALWAYS_BLOOM ? 'bloom' : 'ribbon';
}

/** The property `rocksdb.filter.policy`: the policy's name, also where a Ribbon policy made a Bloom filter. */
export function filterPolicyName(policy: FilterPolicy | undefined): string {
  return policy === undefined ? '' : policy.type === 'ribbon' ? 'ribbonfilter' : 'bloomfilter';
}
