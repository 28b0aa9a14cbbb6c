/** A codec a level, as the C++ tool reads it from the tables. */

import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DB, Options } from '../../../src/index.ts';
import { Random, seedFor } from '../../support/random.ts';
import { expectTablesSound, runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { numbered } from './file-counting.ts';

const NAMES: Record<string, string> = {
  none: 'NoCompression',
  snappy: 'Snappy',
  zlib: 'Zlib',
  lz4: 'LZ4',
  zstd: 'ZSTD',
};

function codecOf(directory: string, table: string): string {
  const { out } = runTool('sst_dump', [`--file=${join(directory, table)}`, '--show_properties']);
  return /SST file compression algo: (\S+)/.exec(out)?.[1] ?? out;
}

/** Fills the levels from `deepest` up to 0 with tables over the same keys, and gives the codecs found by level. */
async function codecsByLevel(directory: string, options: Options, deepest: number): Promise<string[][]> {
  const db = await DB.open(directory, {
    ...options,
    createIfMissing: true,
    targetFileSizeBase: 32 * 1024,
    disableAutoCompactions: true,
  });
  const random = new Random(seedFor(69));
  for (let level = deepest; level >= 0; level--) {
    for (let i = 0; i < 2000; i++) db.putSync(numbered('key', random.below(10_000)), random.bytes(60, true));
    await db.flush();
    const flushed = db.getLiveFilesMetaData().filter((file) => file.level === 0);
    const names = flushed.map(({ name }) => name);
    if (level > 0) await db.compactFiles(names, level);
  }
  const files = db.getLiveFilesMetaData();
  await db.close();
  const found = Array.from({ length: deepest + 1 }, () => new Set<string>());
  for (const { level, name } of files) found[level]!.add(codecOf(directory, name));
  return found.map((codecs) => [...codecs]);
}

describe('S69 codecs by level', () => {
  testWithTools('S69 compressionPerLevel and bottommostCompression', async () => {
    using directory = temporaryDirectory();
    const options: Options = {
      compressionPerLevel: ['none', 'lz4', 'snappy', 'zlib', 'zlib', 'zlib', 'zlib'],
      bottommostCompression: 'zstd',
    };
    expect(await codecsByLevel(directory.path, options, 4)).toEqual(
      ['none', 'lz4', 'snappy', 'zlib', 'zstd'].map((codec) => [NAMES[codec]]),
    );
    expect(expectTablesSound(directory.path)).toBeGreaterThan(5);
  });

  testWithTools(
    'S70 nothing in the first levels, snappy in the middle, zlib in the last, where the data is',
    async () => {
      using directory = temporaryDirectory();
      expect(await codecsByLevel(directory.path, Options.typicalCompression(), 4)).toEqual(
        ['none', 'none', 'none', 'snappy', 'zlib'].map((codec) => [NAMES[codec]]),
      );
      expectTablesSound(directory.path);
    },
  );
});
