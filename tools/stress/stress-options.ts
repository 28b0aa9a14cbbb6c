/** From db_stress's flags to the options of `DB.open`: small buffers and files, so that little data makes much background work. */
import { BlockCache, bTreeMemTable, type CompressionType, type Options, skipListMemTable } from '../../src/index.ts';
import type { Flags } from '../lib/arguments.ts';
import { ToolFailure } from '../lib/tool-failure.ts';

/** The options of a run; the cache is made once, for all reopenings. */
export function stressOptions(flags: Flags): Options {
  const style = flags.number('compaction_style') ?? 0;
  if (style !== 0 && style !== 1) {
    throw new ToolFailure(
      'Error: --compaction_style must be 0 or 1: FIFO drops data, which cannot be told from a loss',
    );
  }
  const rep = flags.text('memtablerep') ?? 'btree';
  if (rep !== 'btree' && rep !== 'skip_list') throw new ToolFailure('Error: --memtablerep must be btree or skip_list');
  const bitsPerKey = flags.number('bloom_bits') ?? 10;
  return {
    createIfMissing: true,
    createMissingColumnFamilies: true,
    // Writes a merge operand as a value: the oracle need not know what a key held before.
    mergeOperator: 'put',
    compactionStyle: style === 0 ? 'level' : 'universal',
    compression: (flags.text('compression_type') ?? 'snappy') as CompressionType,
    memtableFactory: rep === 'btree' ? bTreeMemTable() : skipListMemTable(),
    writeBufferSize: flags.number('write_buffer_size') ?? 256 * 1024,
    targetFileSizeBase: flags.number('target_file_size_base') ?? 128 * 1024,
    maxBytesForLevelBase: flags.number('max_bytes_for_level_base') ?? 512 * 1024,
    maxWriteBufferNumber: flags.number('max_write_buffer_number') ?? 3,
    maxBackgroundCompactions: flags.number('max_background_compactions') ?? 2,
    maxSubcompactions: flags.number('subcompactions') ?? 1,
    level0FileNumCompactionTrigger: flags.number('level0_file_num_compaction_trigger') ?? 4,
    blockSize: flags.number('block_size') ?? 1024,
    maxOpenFiles: flags.number('open_files') ?? -1,
    atomicFlush: flags.boolean('atomic_flush'),
    blockCache: new BlockCache({ capacity: flags.number('cache_size') ?? 1024 * 1024 }),
    ...(bitsPerKey > 0 ? { filterPolicy: { type: 'bloom' as const, bitsPerKey } } : {}),
  };
}
