/** A family's options as the compaction pickers read them. */
import { type CompactionPickerOptions, defaultCompactionPickerOptions } from '../../compaction/compaction-options.ts';
import type { FamilyOptions } from './resolved-options.ts';

const known = new WeakMap<FamilyOptions, CompactionPickerOptions>();

/** Complete, plain data; the same object for the same options. */
export function pickerOptions(options: FamilyOptions): CompactionPickerOptions {
  let result = known.get(options);
  if (result === undefined) {
    result = makePickerOptions(options);
    known.set(options, result);
  }
  return result;
}

function makePickerOptions(options: FamilyOptions): CompactionPickerOptions {
  return {
    compactionStyle: options.compactionStyle,
    numLevels: options.numLevels,
    level0FileNumCompactionTrigger: options.level0FileNumCompactionTrigger,
    maxBytesForLevelBase: options.maxBytesForLevelBase,
    maxBytesForLevelMultiplier: options.maxBytesForLevelMultiplier,
    levelCompactionDynamicLevelBytes: options.levelCompactionDynamicLevelBytes,
    targetFileSizeBase: options.targetFileSizeBase,
    targetFileSizeMultiplier: options.targetFileSizeMultiplier,
    maxCompactionBytes: options.maxCompactionBytes,
    compactionPri: defaultCompactionPickerOptions.compactionPri,
    ttlSeconds: defaultCompactionPickerOptions.ttlSeconds,
    compression: options.compression,
    compressionOptions: options.table.compressionOptions,
    compressionPerLevel: options.compressionPerLevel,
    bottommostCompression: options.bottommostCompression,
    bottommostCompressionOptions: undefined,
    universal: { ...defaultCompactionPickerOptions.universal, ...options.universal },
    fifo: { ...defaultCompactionPickerOptions.fifo, ...options.fifo },
    hasCompactionFilter: options.compactionFilter !== undefined || options.compactionFilterFactory !== undefined,
  };
}
