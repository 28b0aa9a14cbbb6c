/** `recompress`: writes the table again in memory, with every codec and level asked for, and reports what came out. */
import { performance } from 'node:perf_hooks';
import { runSync } from '../../../format/base/io.ts';
import { CompressionId } from '../../../format/compression/codec.ts';
import { type CompressionType, defaultTableOptions, type TableOptions } from '../../../format/sst/table-options.ts';
import { UNKNOWN_FAMILY_ID } from '../../../format/sst/table-properties.ts';
import { TableWriter } from '../../../format/sst/table-writer.ts';
import type { TableWriterContext } from '../../../format/sst/table-writer-context.ts';
import { Env } from '../../../src/env/env.ts';
import type { FileSystem } from '../../../src/env/file-system.ts';
import type { Output } from '../../lib/output.ts';
import { TableEntries } from '../../lib/table-entries.ts';
import { type OpenTableFile, openTableFile } from '../../lib/table-file.ts';
import { readIndexEntries } from '../../lib/table-index.ts';
import { COMPRESSION_TYPES, type DumpOptions } from '../options.ts';

const CODECS: Readonly<Record<(typeof COMPRESSION_TYPES)[number], CompressionType>> = {
  kNoCompression: 'none',
  kSnappyCompression: 'snappy',
  kZlibCompression: 'zlib',
  kBZip2Compression: 'bzip2',
  kLZ4Compression: 'lz4',
  kLZ4HCCompression: 'lz4hc',
  kZSTD: 'zstd',
};

/** RocksDB's number for "the codec's own default level". */
const DEFAULT_LEVEL = 32767;
const LEVELS_MAX = 64;
/** The copy's name in a file system of its own. */
const COPY = '/copy.sst';

/** Reports sizes, counts and times, one line a codec and level. */
export async function recompress(table: OpenTableFile, options: DumpOptions, out: Output): Promise<void> {
  out.line(`Block Size: ${options.blockSize}`);
  const names = options.compressionTypes ?? COMPRESSION_TYPES;
  for (const name of names) {
    out.line(`Compression: ${name.padEnd(24)}`);
    for (const level of levelsOf(options)) {
      out.line(await reportLine(table, options, CODECS[name as keyof typeof CODECS], level));
      await out.flush();
    }
  }
}

function levelsOf({ compressionLevelFrom, compressionLevelTo }: DumpOptions): number[] {
  if (compressionLevelFrom === undefined || compressionLevelTo === undefined) return [DEFAULT_LEVEL];
  const count = Math.max(0, Math.min(LEVELS_MAX, compressionLevelTo - compressionLevelFrom + 1));
  return Array.from({ length: count }, (_, i) => compressionLevelFrom + i);
}

async function reportLine(
  table: OpenTableFile,
  { blockSize, maxDictBytes, maxDictBufferBytes }: DumpOptions,
  compression: CompressionType,
  level: number,
): Promise<string> {
  const { fileSystem } = Env.memory();
  const compressionOptions = { ...(level === DEFAULT_LEVEL ? {} : { level }), maxDictBytes, maxDictBufferBytes };
  const started = performance.now();
  const written = writeAgain(table, fileSystem, { ...defaultTableOptions, blockSize, compression, compressionOptions });
  const micros = Math.round((performance.now() - started) * 1000);
  const compressed = await countCompressed(fileSystem);
  const share = (count: number): string =>
    `${String(count).padStart(6)} (${((100 * count) / Math.max(1, written.blocks)).toFixed(1).padStart(5)}%)`;
  return (
    `Compression level: ${level} Size: ${String(written.sizeBytes).padStart(10)} ` +
    `Blocks: ${String(written.blocks).padStart(6)} Time Taken: ${String(micros).padStart(10)} microsecs ` +
    `Compressed: ${share(compressed)} Not compressed (ratio): ${share(written.blocks - compressed)} ` +
    `Not compressed (abort): ${share(0)}`
  );
}

/** The table as it was written again. */
interface WrittenAgain {
  readonly sizeBytes: number;
  readonly blocks: number;
}

function writeAgain(table: OpenTableFile, fileSystem: FileSystem, options: TableOptions): WrittenAgain {
  const file = fileSystem.createWritableSync(COPY);
  const writer = new TableWriter(file, options, contextOf(table));
  try {
    using entries = new TableEntries(table.reader);
    for (entries.seek(undefined); entries.valid; entries.next()) runSync(writer.add(entries.key, entries.value));
    const { sizeBytes, properties } = runSync(writer.finish());
    return { sizeBytes, blocks: properties.numDataBlocks };
  } finally {
    writer.abandon();
    file.closeSync();
  }
}

function contextOf({ comparator }: OpenTableFile): TableWriterContext {
  const names = { familyName: '', dbId: '', dbSessionId: '', dbHostId: '' };
  const times = { creationTime: 0, oldestKeyTime: 0, fileCreationTime: 0 };
  return { comparator, familyId: UNKNOWN_FAMILY_ID, fileNumber: 1, ...names, ...times };
}

/** How many data blocks of the copy the codec made smaller; the others were stored as they are. */
async function countCompressed(fileSystem: FileSystem): Promise<number> {
  const table = await openTableFile(fileSystem, COPY, false);
  try {
    const type = new Uint8Array(1);
    let count = 0;
    for (const { handle } of readIndexEntries(table, table.head.footer.index!)) {
      table.source.file.readSync(type, handle.offset + handle.size);
      if (type[0] !== CompressionId.none) count++;
    }
    return count;
  } finally {
    table.close();
  }
}
