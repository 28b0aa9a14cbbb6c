/**
 * The Bloom filter of a memtable (`memtablePrefixBloomSizeRatio`): tells lookups and iterators that the memtable has no
 * point entry of a key or a prefix. The bits lie in kernel memory, where batches are applied; this is their owner. Range
 * tombstones are not in it: whoever skips a memtable must still ask for those.
 */
import type { SliceTransform } from '../../format/base/slice-transform.ts';
import { noopPrefix } from '../../format/base/slice-transform.ts';
import { FilterPrefixKind } from '../../format/kernel/abi/memtable-filter.ts';
import type { Kernel } from '../../format/kernel/kernel.ts';

/** What a filter is made from. */
export interface MemTableFilterSpec {
  writeBufferSize: number;
  /** The filter's share of the write buffer; 0 for no filter. */
  prefixBloomSizeRatio: number;
  wholeKeyFiltering: boolean;
  prefixExtractor: SliceTransform | undefined;
}

/** Longer than any key. */
const UNLIMITED = 0x7fffffff;

/** A new filter, or `undefined` where the options want none or leave it nothing to hold. */
export function makeMemTableFilter(kernel: Kernel, spec: MemTableFilterSpec): MemTableFilter | undefined {
  const size = Math.floor(spec.writeBufferSize * spec.prefixBloomSizeRatio);
  const wanted = spec.wholeKeyFiltering || spec.prefixExtractor !== undefined;
  return size > 0 && wanted ? new MemTableFilter(kernel, size, spec) : undefined;
}

/** One filter. The memtable owns it and closes it with itself. */
export class MemTableFilter {
  /** Of the kernel's filter. */
  readonly address: number;
  readonly #kernel: Kernel;
  readonly #wholeKeys: boolean;
  /** The extractor if its prefixes are cut here and not by the kernel. */
  readonly #host: SliceTransform | undefined;
  /** Holds a key or a prefix on its way to the kernel. */
  #scratch = 0;
  #scratchSize = 0;

  /** `size` in bytes. RangeError when the kernel's memory is exhausted. */
  constructor(kernel: Kernel, size: number, { wholeKeyFiltering, prefixExtractor }: MemTableFilterSpec) {
    const [kind, length] = prefixFormOf(prefixExtractor);
    this.#kernel = kernel;
    this.#wholeKeys = wholeKeyFiltering;
    this.address = kernel.x.memtableFilterCreate(size, wholeKeyFiltering ? 1 : 0, kind, length) >>> 0;
    if (this.address === 0) throw new RangeError('kernel memory exhausted: no memtable filter can be made');
    if (kind === FilterPrefixKind.host) {
      this.#host = prefixExtractor;
      kernel.registerPrefixHost(this.address, (userKey) => this.#addPrefix(userKey));
    }
  }

  /** Bytes in memory. */
  get bytes(): number {
    return this.#kernel.x.memtableFilterBytes(this.address) >>> 0;
  }

  /** Adds a user key; for memtables that the kernel does not insert into. */
  add(userKey: Uint8Array): void {
    this.#kernel.x.memtableFilterAdd(this.address, this.#place(userKey), userKey.length);
  }

  /**
   * Whether no point entry has this user key, which is in kernel memory. As in RocksDB whole keys are asked for where the
   * filter has them, else prefixes.
   */
  excludesKey(key: number, keySize: number): boolean {
    if (!this.#wholeKeys) return this.excludesPrefix(key, keySize);
    return this.#kernel.x.memtableFilterMayHoldString(this.address, key, keySize) === 0;
  }

  /** Whether no point entry has the prefix of this user key, which is in kernel memory; false for a key without one. */
  excludesPrefix(key: number, keySize: number): boolean {
    const { x } = this.#kernel;
    const host = this.#host;
    if (host === undefined) return x.memtableFilterMayHoldPrefix(this.address, key, keySize) === 0;
    const userKey = this.#kernel.bytes(key, keySize);
    if (!host.inDomain(userKey)) return false;
    const prefix = host.transform(userKey);
    return x.memtableFilterMayHoldString(this.address, this.#place(prefix), prefix.length) === 0;
  }

  /** Frees the memory. */
  close(): void {
    this.#kernel.unregisterPrefixHost(this.address);
    this.#kernel.x.memtableFilterFree(this.address);
    this.#kernel.free(this.#scratch);
  }

  #addPrefix(userKey: Uint8Array): void {
    const host = this.#host!;
    if (!host.inDomain(userKey)) return;
    const prefix = host.transform(userKey);
    this.#kernel.x.memtableFilterAddString(this.address, this.#place(prefix), prefix.length);
  }

  /** Copies into the scratch space. The bytes may be a view of it, at its beginning or behind it: prefixes are. */
  #place(bytes: Uint8Array): number {
    const kernel = this.#kernel;
    if (bytes.length > this.#scratchSize || this.#scratch === 0) {
      const grown = kernel.malloc(bytes.length * 2 + 64);
      kernel.copyIn(bytes, grown);
      kernel.free(this.#scratch);
      this.#scratch = grown;
      this.#scratchSize = bytes.length * 2;
    } else {
      kernel.copyIn(bytes, this.#scratch);
    }
    return this.#scratch;
  }
}

/** The kernel's kind and length for an extractor. */
function prefixFormOf(extractor: SliceTransform | undefined): [kind: number, length: number] {
  if (extractor === undefined) return [FilterPrefixKind.none, 0];
  if (extractor.name === noopPrefix.name) return [FilterPrefixKind.capped, UNLIMITED];
  const builtin = /^rocksdb\.(Fixed|Capped)Prefix\.(\d+)$/.exec(extractor.name);
  if (builtin === null) return [FilterPrefixKind.host, 0];
  return [builtin[1] === 'Fixed' ? FilterPrefixKind.fixed : FilterPrefixKind.capped, Number(builtin[2])];
}
