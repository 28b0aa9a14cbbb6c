/** The presets by name, and their values as docs/presets.md writes them. */
import { BlockCache, Options } from '../../src/index.ts';
import { OPTION_TABLE } from '../../src/options/option-table.ts';

/** Makes each preset with its own defaults. The caller closes caches. */
export const PRESETS: Readonly<Record<string, () => Options>> = {
  forFlash: Options.forFlash,
  forHardDisk: Options.forHardDisk,
  forMemory: Options.forMemory,
  pointLookup: () => Options.pointLookup(),
  updateHeavy: Options.updateHeavy,
  mixed: Options.mixed,
  prepareForBulkLoad: Options.prepareForBulkLoad,
  typicalCompression: () => Options.typicalCompression(),
};

const UNITS: readonly [bytes: number, name: string][] = [
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
];

function bytesText(value: number): string {
  if (value === Number.MAX_SAFE_INTEGER) return '2^53-1';
  const unit = UNITS.find(([bytes]) => value >= bytes && value % bytes === 0);
  return unit === undefined ? String(value) : `${value / unit[0]} ${unit[1]}`;
}

/** A value of an option as a cell of a table; bytes with their unit. */
export function valueText(option: string, value: unknown): string {
  if (value === undefined) return 'none';
  if (typeof value === 'number') return /Size|Bytes/.test(option) ? bytesText(value) : String(value);
  if (value instanceof BlockCache) return `a cache of ${bytesText(value.capacity)}`;
  if (Array.isArray(value)) return value.map(String).join(' ') || 'none';
  if (typeof value === 'object' && value !== null) {
    const { type, bitsPerKey } = value as { type: string; bitsPerKey: number };
    return `${type}, ${bitsPerKey} bits a key`;
  }
  return String(value);
}

/** What an option is without a preset. */
export function defaultText(option: string): string {
  return valueText(option, OPTION_TABLE.get(option)?.default);
}
