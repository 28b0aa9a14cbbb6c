/** Blocks as the document tells them: trailers, compression, entries, restarts, hash indexes. */

import { uncompressSync } from 'snappy';
import type { CodecType } from '../../../format/compression/codec.ts';
import { findCodec } from '../../../format/compression/codec-registry.ts';
import { DocumentChecksums } from './checksums.ts';
import type { FormatDocument } from './document.ts';
import { DocumentFilters } from './filters.ts';
import { type FieldSet, FormReader, type Handle } from './layout.ts';

/** Bytes that a block without a stored size is believed to become at most. */
const UNSIZED_MAX = 1 << 24;

/** One entry of a block. */
export interface BlockEntry {
  key: Buffer;
  shared: number;
  /** Where it begins in the block. */
  at: number;
  value: Buffer;
}

/** Reads the value of an entry that has no value size. */
export type ValueReader = (reader: FormReader, shared: number) => void;

/** What stands at the end of a block of entries. */
interface BlockEnd {
  entriesEnd: number;
  restarts: number[];
  buckets: Buffer | undefined;
}

/** Everything that is needed to decode by one document. */
export class DocumentRules {
  readonly document: FormatDocument;
  readonly checksums: DocumentChecksums;
  readonly filters: DocumentFilters;

  private constructor(document: FormatDocument, checksums: DocumentChecksums) {
    this.document = document;
    this.checksums = checksums;
    this.filters = new DocumentFilters(document);
  }

  static async load(document: FormatDocument): Promise<DocumentRules> {
    return new DocumentRules(document, await DocumentChecksums.load(document));
  }

  /** The trailer behind a block, by the document's layout. */
  trailerOf(file: Buffer, { offset, size }: Handle): FieldSet {
    return new FormReader(file, offset + size).layout(this.document.table('Block trailer'));
  }

  /** The block's bytes before they were compressed. */
  uncompressed(stored: Buffer, typeId: number, formatVersion: number, dictionary: Buffer | undefined): Buffer {
    const row = this.document.row('Compression types', 'id', typeId);
    if (row.name === 'none') {
      return stored;
    }
    const reader = new FormReader(stored);
    const form = sizeForm(row, formatVersion);
    const size = form === '–' ? undefined : Number(reader.integer(form) & 0xffffffffn);
    const source = stored.subarray(reader.at);
    if (row.bytes!.startsWith('snappy')) {
      return uncompressSync(source) as Buffer;
    }
    const codec = findCodec((row.name!.startsWith('zstd') ? 'zstd' : row.name!) as CodecType);
    if (size === undefined) {
      return Buffer.from(codec.decompressUnsized!(source, UNSIZED_MAX));
    }
    const target = Buffer.alloc(size);
    codec.decompress(source, target, dictionary);
    return target;
  }

  /** The entries of a block, its restarts held to what they promise. `readValue` where values have no size. */
  entries(block: Buffer, readValue?: ValueReader): BlockEntry[] {
    const end = this.endOf(block);
    const layout = this.document.table(readValue === undefined ? 'Entry' : 'Entry without a value size');
    const reader = new FormReader(block.subarray(0, end.entriesEnd));
    const entries: BlockEntry[] = [];
    let last: Buffer = Buffer.alloc(0);
    while (!reader.done) {
      const at = reader.at;
      const fields = reader.layout(layout);
      const shared = fields.number('shared');
      const key = Buffer.concat([last.subarray(0, shared), fields.bytes('suffix')]);
      const valueAt = reader.at;
      readValue?.(reader, shared);
      const value = readValue === undefined ? fields.bytes('value') : block.subarray(valueAt, reader.at);
      entries.push({ key, shared, at, value });
      last = key;
    }
    checkRestarts(end.restarts, entries);
    return entries;
  }

  /** Fails where a hash index denies a user key of the block or sends to another interval. Gives its bucket count. */
  checkHashIndex(block: Buffer, entries: readonly BlockEntry[], userKeyOf: (key: Buffer) => Buffer): number {
    const { buckets, restarts } = this.endOf(block);
    for (const entry of buckets === undefined ? [] : entries) {
      const value = buckets![this.filters.hashIndexBucket(userKeyOf(entry.key), buckets!.length)]!;
      const meaning = this.document.row('Hash index buckets', 'value', value).meaning!;
      const interval = restarts.findLastIndex((restart) => restart <= entry.at);
      if (meaning.startsWith('empty') || (!meaning.startsWith('collision') && value !== interval)) {
        throw new Error(`the hash index has ${value} for a key of interval ${interval}`);
      }
    }
    return buckets?.length ?? 0;
  }

  private endOf(block: Buffer): BlockEnd {
    const last = BigInt(block.readUInt32LE(block.length - 4));
    const count = Number(bitsOf(last, this.document.row('Block end', 'field', 'restart count').bits!));
    let restartsEnd = block.length - 4;
    let buckets: Buffer | undefined;
    if (bitsOf(last, this.document.row('Block end', 'field', 'hash index').bits!) === 1n) {
      const bucketsEnd = restartsEnd - 2;
      restartsEnd = bucketsEnd - block.readUInt16LE(bucketsEnd);
      buckets = block.subarray(restartsEnd, bucketsEnd);
    }
    const entriesEnd = restartsEnd - 4 * count;
    const restarts = Array.from({ length: count }, (_, i) => block.readUInt32LE(entriesEnd + 4 * i));
    return { entriesEnd, restarts, buckets };
  }
}

/** The form of the stored size for a version, from the column whose heading names a range with the version in it. */
function sizeForm(row: Readonly<Record<string, string>>, formatVersion: number): string {
  for (const [column, form] of Object.entries(row)) {
    const range = /^size, versions (\d+)–(\d+)$/.exec(column);
    if (range !== null && Number(range[1]) <= formatVersion && formatVersion <= Number(range[2])) {
      return form;
    }
  }
  throw new Error(`the document does not say how version ${formatVersion} stores sizes`);
}

/** The bits `a–b`, or the single bit `a`, of a number. */
function bitsOf(value: bigint, bits: string): bigint {
  const [low = 0, high = low] = bits.split('–').map(Number);
  return (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
}

function checkRestarts(restarts: readonly number[], entries: readonly BlockEntry[]): void {
  const starts = new Set(entries.filter((entry) => entry.shared === 0).map((entry) => entry.at));
  if (restarts[0] !== 0 || (entries.length > 0 && !restarts.every((restart) => starts.has(restart)))) {
    throw new Error(`restarts ${restarts} are not all entries that share nothing`);
  }
}
