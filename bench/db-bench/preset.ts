/** `--preset`: the database's own presets under db_bench's flags. A flag that is given counts more than the preset. */
import { Options } from '../../src/index.ts';
import { FLAG_TABLE, type FlagName } from './flag-table.ts';
import { type BenchFlags, FlagError } from './flags.ts';

const PRESETS: Readonly<Record<string, () => Options>> = {
  flash: Options.forFlash,
  hdd: Options.forHardDisk,
  memory: Options.forMemory,
  pointLookup: () => Options.pointLookup(),
  updateHeavy: Options.updateHeavy,
  mixed: Options.mixed,
  bulkLoad: Options.prepareForBulkLoad,
};

/** Flags whose option has another name. */
const FLAG_OF_OPTION: Readonly<Record<string, FlagName>> = {
  filterPolicy: 'bloom_bits',
  blockCache: 'cache_size',
  noBlockCache: 'cache_size',
  compression: 'compression_type',
  maxOpenFiles: 'open_files',
  memtablePrefixBloomSizeRatio: 'memtable_bloom_size_ratio',
};

function overruled(option: string, flags: BenchFlags): boolean {
  const flag = FLAG_OF_OPTION[option] ?? option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.hasOwn(FLAG_TABLE, flag) && flags.has(flag as FlagName);
}

/** `options` with those of the preset where no flag was given for them. */
export function presetOptions(flags: BenchFlags, options: Options): Options {
  const name = flags.text('preset');
  if (name === '') return options;
  const make = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (make === undefined) {
    throw new FlagError(`ERROR: --preset=${name} is none of ${Object.keys(PRESETS).join(', ')}`);
  }
  const chosen = Object.entries(make()).filter(([option]) => !overruled(option, flags));
  const result: Record<string, unknown> = { ...options, ...Object.fromEntries(chosen) };
  if (chosen.some(([option]) => option === 'noBlockCache')) delete result.blockCache;
  return result as Options;
}
