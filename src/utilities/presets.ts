/**
 * Sets of options for kinds of hardware and kinds of load, as plain records to spread and to change:
 * `DB.open(path, { ...Options.forFlash(), createIfMissing: true })`. A later one overrides an earlier one.
 */
import { BlockCache } from '../cache/block-cache.ts';
import type { Options as EngineOptions } from '../options/options.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Options of `DB.open`; as a value, the presets. */
export type Options = EngineOptions;

/** The presets. Each call makes a new record; those that make a block cache leave closing it to the caller. */
export const Options = {
  /** For solid-state disks: seeks are cheap, so small blocks and every table open; many jobs, for the device has many queues. */
  forFlash(): EngineOptions {
    return {
      blockSize: 4 * KIB,
      maxOpenFiles: -1,
      maxBackgroundJobs: 6,
      targetFileSizeBase: 64 * MIB,
      maxBytesForLevelBase: 256 * MIB,
      levelCompactionDynamicLevelBytes: true,
      filterPolicy: { type: 'bloom', bitsPerKey: 10 },
    };
  },

  /** For spinning disks: few seeks, so large blocks, large tables, few tables in level 0 and one compaction at a time. */
  forHardDisk(): EngineOptions {
    return {
      blockSize: 64 * KIB,
      maxOpenFiles: 500,
      maxBackgroundJobs: 2,
      writeBufferSize: 128 * MIB,
      targetFileSizeBase: 256 * MIB,
      maxBytesForLevelBase: 1 * GIB,
      levelCompactionDynamicLevelBytes: true,
      filterPolicy: { type: 'bloom', bitsPerKey: 10 },
    };
  },

  /** For files in memory (`Env.memory()`, tmpfs): nothing is gained by compression or by a cache of what is in memory. */
  forMemory(): EngineOptions {
    return {
      compression: 'none',
      noBlockCache: true,
      blockSize: 4 * KIB,
      blockRestartInterval: 4,
      maxOpenFiles: -1,
      filterPolicy: { type: 'bloom', bitsPerKey: 10 },
    };
  },

  /** For gets of single keys: hash indexes in data blocks, filters, and a cache of `blockCacheBytes` (default 512 MiB). */
  pointLookup(blockCacheBytes: number = 512 * MIB): EngineOptions {
    return {
      blockCache: new BlockCache({ capacity: blockCacheBytes }),
      dataBlockIndexType: 'binaryAndHash',
      dataBlockHashTableUtilRatio: 0.75,
      filterPolicy: { type: 'bloom', bitsPerKey: 10 },
      maxOpenFiles: -1,
    };
  },

  /** For many overwrites: large memtables that meet before they are flushed, and universal compaction, which writes less. */
  updateHeavy(): EngineOptions {
    return {
      writeBufferSize: 128 * MIB,
      maxWriteBufferNumber: 6,
      minWriteBufferNumberToMerge: 2,
      compactionStyle: 'universal',
      maxBackgroundJobs: 6,
      filterPolicy: { type: 'bloom', bitsPerKey: 10 },
    };
  },

  /** For reads and overwrites in equal parts: level compaction with more memory for writes, and filters. */
  mixed(): EngineOptions {
    return {
      writeBufferSize: 128 * MIB,
      maxWriteBufferNumber: 4,
      maxBackgroundJobs: 4,
      levelCompactionDynamicLevelBytes: true,
      filterPolicy: { type: 'bloom', bitsPerKey: 10 },
    };
  },

  /**
   * For filling a database as fast as it goes: nothing is compacted and nothing waits for it. Afterwards open without it
   * and `compactRange()`. RocksDB's PrepareForBulkLoad.
   */
  prepareForBulkLoad(): EngineOptions {
    return {
      disableAutoCompactions: true,
      level0FileNumCompactionTrigger: 2 ** 30,
      level0SlowdownWritesTrigger: 2 ** 30,
      level0StopWritesTrigger: 2 ** 30,
      softPendingCompactionBytesLimit: 0,
      hardPendingCompactionBytesLimit: 0,
      maxCompactionBytes: Number.MAX_SAFE_INTEGER,
      numLevels: 2,
      maxWriteBufferNumber: 6,
      minWriteBufferNumberToMerge: 1,
      maxBackgroundFlushes: 4,
      maxBackgroundCompactions: 2,
      targetFileSizeBase: 256 * MIB,
    };
  },

  /**
   * No codec where data is written and rewritten soonest (levels 0 to 2), a fast one in the middle, a strong one in the last
   * level, where nine tenths of the data lie.
   */
  typicalCompression(numLevels = 7): EngineOptions {
    const levels = Array.from({ length: numLevels }, (_, level) =>
      level <= 2 ? ('none' as const) : ('snappy' as const),
    );
    return { numLevels, compressionPerLevel: levels, bottommostCompression: 'zlib' };
  },
};
