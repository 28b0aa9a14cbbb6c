/** The metaindex: names of the blocks that are not data, and their handles. */
import { textOf } from '../base/bytes.ts';
import { ByteReader } from '../base/coding.ts';
import { type BlockHandle, readBlockHandle } from './block-handle.ts';
import { isBuiltinFilter } from './filter-policy.ts';
import type { MetadataEntry } from './metadata-block.ts';

/** Keys of the metaindex. */
export const MetaindexName = {
  properties: 'rocksdb.properties',
  oldProperties: 'rocksdb.stats',
  index: 'rocksdb.index',
  compressionDictionary: 'rocksdb.compression_dict',
  rangeDeletions: 'rocksdb.range_del',
  hashIndexPrefixes: 'rocksdb.hashindex.prefixes',
  hashIndexMetadata: 'rocksdb.hashindex.metadata',
  fullFilterPrefix: 'fullfilter.',
  partitionedFilterPrefix: 'partitionedfilter.',
} as const;

/** The blocks that a reader uses; others are passed over. */
export interface Metaindex {
  properties?: BlockHandle;
  index?: BlockHandle;
  compressionDictionary?: BlockHandle;
  rangeDeletions?: BlockHandle;
  filter?: { readonly handle: BlockHandle; readonly partitioned: boolean };
}

/** Sorts the metaindex's entries out. CORRUPTION when the handle of a block that is used is malformed. */
export function decodeMetaindex(entries: readonly MetadataEntry[], path: string): Metaindex {
  const result: Metaindex = {};
  for (const { key, value } of entries) {
    const name = textOf(key);
    const handle = () => readBlockHandle(new ByteReader(value, `${path}: metaindex entry ${name}`));
    if (name === MetaindexName.properties || name === MetaindexName.oldProperties) result.properties ??= handle();
    else if (name === MetaindexName.index) result.index = handle();
    else if (name === MetaindexName.compressionDictionary) result.compressionDictionary = handle();
    else if (name === MetaindexName.rangeDeletions) result.rangeDeletions = handle();
    else {
      const partitioned = name.startsWith(MetaindexName.partitionedFilterPrefix);
      const prefix = partitioned ? MetaindexName.partitionedFilterPrefix : MetaindexName.fullFilterPrefix;
      if (name.startsWith(prefix) && isBuiltinFilter(name.slice(prefix.length))) {
        result.filter = { handle: handle(), partitioned };
      }
    }
  }
  return result;
}
