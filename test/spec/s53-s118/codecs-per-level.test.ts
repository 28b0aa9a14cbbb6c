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

/** Fills four levels, and gives the codecs found by level. */
async function codecsByLevel(directory: string, options: Options): Promise<Map<number, Set<string>>> {
  const db = await DB.open(directory, {
    ...options,
    createIfMissing: true,
    writeBufferSize: 64 * 1024,
    targetFileSizeBase: 32 * 1024,
    maxBytesForLevelBase: 64 * 1024,
    maxBytesForLevelMultiplier: 2,
    level0FileNumCompactionTrigger: 2,
  });
  const random = new Random(seedFor(69));
  for (let i = 0; i < 20_000; i++) {
    db.putSync(numbered('key', random.below(100_000)), random.bytes(60, true));
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await db.flush();
  await db.pauseBackgroundWork();
  const files = db.getLiveFilesMetaData();
  await db.close();
  const found = new Map<number, Set<string>>();
  for (const { level, name } of files) {
    const codecs = found.get(level) ?? new Set();
    found.set(level, codecs.add(codecOf(directory, name)));
  }
  return found;
}

describe('S69 codecs by level', () => {
  testWithTools('S69 compressionPerLevel and bottommostCompression', async () => {
    using directory = temporaryDirectory();
    const compressionPerLevel = ['none', 'lz4', 'snappy', 'zlib', 'zlib', 'zlib', 'zlib'] as const;
    const found = await codecsByLevel(directory.path, {
      compressionPerLevel: [...compressionPerLevel],
      bottommostCompression: 'zstd',
    });
    expect(found.size).toBeGreaterThan(2);
    const deepest = Math.max(...found.keys());
    for (const [level, codecs] of found) {
      const expected = level === deepest ? 'zstd' : compressionPerLevel[level]!;
      expect([...codecs], `level ${level} of ${deepest}`).toContain(NAMES[expected]);
      // A table that was at the bottom once, or came by a trivial move, keeps its codec.
      if (level === 0) expect(codecs.size).toBe(1);
    }
    expect(expectTablesSound(directory.path)).toBeGreaterThan(5);
  });

  testWithTools(
    'S70 nothing in the first levels, snappy in the middle, zlib in the last, where the data is',
    async () => {
      using directory = temporaryDirectory();
      const found = await codecsByLevel(directory.path, Options.typicalCompression());
      const deepest = Math.max(...found.keys());
      expect([...found.get(deepest)!]).toContain('Zlib');
      for (const level of [0, 1, 2]) {
        if (level < deepest && found.has(level)) expect([...found.get(level)!]).toContain('NoCompression');
      }
      expectTablesSound(directory.path);
    },
  );
});
