/** What stands before the figures: sizes, settings, the machine, and what was given in vain. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import type { CompressionType } from '../../src/index.ts';
import { FLAG_TABLE } from './flag-table.ts';
import type { BenchFlags } from './flags.ts';
import { compressionOf, poolSize } from './open-options.ts';

const MIB = 1048576;
const COMPRESSION_TITLES: Readonly<Record<CompressionType, string>> = {
  none: 'NoCompression',
  snappy: 'Snappy',
  zlib: 'Zlib',
  bzip2: 'BZip2',
  lz4: 'LZ4',
  lz4hc: 'LZ4HC',
  zstd: 'ZSTD',
};

/** The machine that the figures come from. */
export interface Machine {
  readonly pumice: string;
  readonly node: string;
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
}

/** Reads the version from the package that this file belongs to: two floors up as source, three as compiled. */
function packageVersion(): string {
  for (const place of ['../../package.json', '../../../package.json']) {
    try {
      return String(
        (JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as { version: unknown }).version,
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}

/** Describes the machine. */
export function describeMachine(): Machine {
  return {
    pumice: packageVersion(),
    node: process.version,
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
  };
}

function sizesText(flags: BenchFlags): string {
  const [keys, values, entries] = [flags.number('key_size'), flags.number('value_size'), flags.number('num')];
  const ratio = Math.min(1, flags.number('compression_ratio'));
  const compressed = Math.floor(values * ratio + 0.5);
  const compression = compressionOf(flags);
  const stored = compression === 'none' ? values : values * ratio;
  return (
    `Keys:       ${keys} bytes each\n` +
    `Values:     ${values} bytes each (${compressed} bytes after compression)\n` +
    `Entries:    ${entries}\n` +
    `RawSize:    ${(((keys + values) * entries) / MIB).toFixed(1)} MB (estimated)\n` +
    `FileSize:   ${(((keys + stored) * entries) / MIB).toFixed(1)} MB (estimated)\n` +
    `Compression: ${COMPRESSION_TITLES[compression]}\n`
  );
}

function threadsText(flags: BenchFlags): string {
  const threads = flags.number('threads');
  const calls =
    threads > 1 || flags.boolean('async')
      ? 'loops with one operation in flight each, on one event loop; not operating-system threads'
      : 'loop of blocking calls';
  const pool = poolSize(flags);
  const asked = flags.number('max_background_compactions');
  const background = pool === undefined ? '' : `Compaction threads: ${pool} (${asked} asked for, at most one a core)\n`;
  return `Threads:    ${threads} ${calls}\n${background}`;
}

/** Says of every flag without effect that it has none. */
function ignoredText(flags: BenchFlags): string {
  return flags.given
    .map((name) => ({ name, why: FLAG_TABLE[name].ignored }))
    .filter(({ why }) => why !== undefined)
    .map(({ name, why }) => `Note:       --${name} is accepted and changes nothing: ${why}\n`)
    .join('');
}

/** The header. */
export function headerText(flags: BenchFlags): string {
  const machine = describeMachine();
  return (
    `${sizesText(flags)}Memtablerep: ${flags.text('memtablerep')}\n${threadsText(flags)}${ignoredText(flags)}` +
    '------------------------------------------------\n' +
    `Pumice:     version ${machine.pumice}, Node ${machine.node}\n` +
    `Date:       ${machine.date}\n` +
    `CPU:        ${machine.cores} * ${machine.cpu}\n` +
    `Memory:     ${Math.round(machine.memoryBytes / MIB)} MB; ${machine.system}\n` +
    '------------------------------------------------\n'
  );
}
