/** Sound bytes to make hostile ones of: files of the golden databases, and small tables of every shape. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TableOptions } from '../../../format/sst/table-options.ts';
import { entry, writeTable } from '../../format/sst/table-support.ts';
import { allFixtures } from '../../support/fixtures.ts';

/** Larger files make fewer and less different inputs. */
const FILE_SIZE_MAX = 24 << 10;

/** The files of sound golden databases whose names match, each content once. Of large logs the beginning: still logs. */
export function fixtureFiles(name: RegExp, fixture = /./): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (const { name: database, path } of allFixtures()) {
    if (database.startsWith('damaged-') || !fixture.test(database)) continue;
    for (const file of readdirSync(path).filter((each) => name.test(each))) {
      const bytes = new Uint8Array(readFileSync(join(path, file))).slice(
        0,
        file.endsWith('.log') ? FILE_SIZE_MAX : undefined,
      );
      if (bytes.length > 0 && bytes.length <= FILE_SIZE_MAX) found.set(Buffer.from(bytes).toString('latin1'), bytes);
    }
  }
  return [...found.values()];
}

/** Shapes of tables that take different ways through the readers. */
export const TABLE_SHAPES: Readonly<Record<string, Partial<TableOptions>>> = {
  'plain blocks': { blockSize: 256 },
  'version 6, Bloom filter': { formatVersion: 6, blockSize: 256, filterPolicy: { type: 'bloom', bitsPerKey: 10 } },
  'Ribbon filter': { blockSize: 512, filterPolicy: { type: 'ribbon', bitsPerKey: 10 } },
  'partitioned index and filters': {
    indexType: 'twoLevelIndexSearch',
    metadataBlockSize: 64,
    blockSize: 128,
    partitionFilters: true,
    filterPolicy: { type: 'bloom', bitsPerKey: 10 },
  },
  'index with first keys': { formatVersion: 4, blockSize: 256, indexType: 'binarySearchWithFirstKey' },
  'hash index in data blocks': { blockSize: 512, dataBlockIndexType: 'binaryAndHash' },
  'version 2, zlib': { formatVersion: 2, blockSize: 256, compression: 'zlib' },
  snappy: { blockSize: 256, compression: 'snappy' },
  lz4: { blockSize: 256, compression: 'lz4' },
  zstd: { blockSize: 256, compression: 'zstd' },
};

/** A table of some dozen entries and a range tombstone, without checksums unless the shape asks for them. */
export function smallTable(shape: Partial<TableOptions>): Uint8Array {
  const entries = Array.from({ length: 40 }, (_, i) =>
    entry(`key${String(i).padStart(2, '0')}`, i + 1, `value ${i} `.repeat(4)),
  );
  return writeTable(entries, { checksum: 'none', ...shape }, { tombstones: [['key1', 'key2', 99]] }).bytes;
}
