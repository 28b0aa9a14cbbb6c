/**
 * Decodes a whole table by what the document says: layouts, ids, names and hash constants come from its tables; steps and
 * the few sizes that stand in its sentences are written here. It shares no code with the library but the codecs.
 */

import type { BlockEntry, DocumentRules } from './blocks.ts';
import { cellHolds } from './document.ts';
import { type FieldSet, FormReader, type Handle } from './layout.ts';

const MAGIC_SIZE = 8;
const TRAILER_SIZE = 5;
const INTERNAL_SUFFIX_SIZE = 8;
const ALIGNMENT = 4096;
const LOW_BITS_OF_TYPE = 8n;

/** One entry or range tombstone. */
export interface TableEntry {
  key: Buffer;
  sequence: bigint;
  type: string;
  typeId: number;
  value: Buffer;
  /** Of the internal key. */
  keySize: number;
}

/** A table as the document reads it. */
export interface DecodedTable {
  formatVersion: number;
  checksumName: string;
  indexName: string;
  properties: ReadonlyMap<string, bigint | string>;
  entries: TableEntry[];
  tombstones: TableEntry[];
  dataBlocks: number;
  /** Bytes of the data blocks, trailers and padding included. */
  dataSize: number;
  /** Codecs of data blocks, by the document's names. */
  codecs: Set<string>;
  hashBuckets: number;
  filter: DecodedFilter | undefined;
}

/** The filter of a table. */
export interface DecodedFilter {
  kind: string | undefined;
  partitions: number;
  mayMatch(key: Uint8Array): boolean;
}

interface Footer {
  version: number;
  checksumType: number;
  base: bigint;
  metaindex: Handle;
  index: Handle | undefined;
}

/** What an index entry leads to. */
interface IndexEntry {
  key: Buffer;
  handle: Handle;
  firstKey: Buffer | undefined;
}

/** Decodes `file`. Throws where the file is not what the document says. */
export function decodeTable(rules: DocumentRules, file: Buffer): DecodedTable {
  return new TableDecoder(rules, file).decode();
}

class TableDecoder {
  private readonly rules: DocumentRules;
  private readonly file: Buffer;
  private readonly footer: Footer;
  private readonly blocks: ReadonlyMap<string, Handle>;
  private properties: ReadonlyMap<string, bigint | string> = new Map();

  constructor(rules: DocumentRules, file: Buffer) {
    this.rules = rules;
    this.file = file;
    this.footer = this.readFooter();
    this.blocks = this.readMetaindex();
  }

  decode(): DecodedTable {
    this.properties = this.readProperties();
    const indexHandle = this.footer.index ?? this.blocks.get('index');
    if (indexHandle === undefined) {
      throw new Error('neither the footer nor the metaindex names an index');
    }
    const kind = this.rules.document.row('Index kinds', 'id', this.number('rocksdb.block.based.table.index.type'));
    const dictionary = this.blocks.get('dictionary');
    const tombstones = this.blocks.get('range tombstones');
    const table: DecodedTable = {
      formatVersion: this.footer.version,
      checksumName: this.rules.document.row('Checksum types', 'id', this.footer.checksumType).name!,
      indexName: kind.name!,
      properties: this.properties,
      entries: [],
      tombstones: tombstones === undefined ? [] : this.internalEntries(this.plainBlock(tombstones)),
      dataBlocks: 0,
      dataSize: 0,
      codecs: new Set(),
      hashBuckets: 0,
      filter: this.readFilter(),
    };
    const blocks = this.readIndex(indexHandle, Number(kind.levels), kind['first key'] === 'yes');
    this.readData(table, blocks, dictionary && this.bytesOf(dictionary));
    return table;
  }

  private readFooter(): Footer {
    const magic = this.file.subarray(-MAGIC_SIZE).toString('hex').replace(/..\B/g, '$& ');
    for (const row of this.rules.document.table('The footer').filter((each) => each.magic === magic)) {
      const at = this.file.length - Number(row.size);
      const layout = this.rules.document.table(row.layout!);
      const versioned = layout.find((field) => field.field === 'format version');
      const version = versioned === undefined ? 0 : this.file.readUInt32LE(at + Number(versioned.offset));
      if (cellHolds(row.format_version!, version)) {
        return this.footerFrom(new FormReader(this.file, at).layout(layout), version, at, row['checksum type']!);
      }
    }
    throw new Error(`the document has no footer for the magic ${magic}`);
  }

  private footerFrom(fields: FieldSet, version: number, at: number, checksumType: string): Footer {
    const type = checksumType === 'in the footer' ? fields.number('checksum type') : Number(checksumType);
    if (fields.has('metaindex')) {
      const [metaindex, index] = [fields.handle('metaindex'), fields.handle('index')];
      return { version, checksumType: type, base: 0n, metaindex, index };
    }
    const base = BigInt(fields.number('base'));
    const field = this.rules.document.row('Footer C', 'field', 'footer checksum');
    const bytes = Buffer.from(this.file.subarray(at)).fill(0, Number(field.offset), Number(field.offset) + 4);
    const expected = this.rules.checksums.stored(type, bytes.subarray(0, -1), bytes.at(-1)!, base, at);
    if (base === 0n || BigInt(fields.number('footer checksum')) !== expected) {
      throw new Error('the checksum of the footer does not fit');
    }
    const size = fields.number('metaindex size');
    const metaindex = { offset: at - TRAILER_SIZE - size, size };
    return { version, checksumType: type, base, metaindex, index: undefined };
  }

  /** Handles by what the document calls the block. */
  private readMetaindex(): Map<string, Handle> {
    const blocks = new Map<string, Handle>();
    for (const { key, value } of this.plainBlock(this.footer.metaindex)) {
      const name = key.toString('latin1');
      const row = this.rules.document
        .table('Metaindex names')
        .find((each) => (each.name!.endsWith('.') ? name.startsWith(each.name!) : name === each.name));
      if (row === undefined) {
        throw new Error(`the document does not know '${name}' in the metaindex`);
      }
      blocks.set(row.block!, new FormReader(value).form('handle') as Handle);
    }
    return blocks;
  }

  private readProperties(): Map<string, bigint | string> {
    const { document } = this.rules;
    const properties = new Map<string, bigint | string>();
    for (const row of document.table('Properties that decide how to read')) {
      properties.set(row.name!, row.form === 'text' ? row.default! : BigInt(row.default!));
    }
    const handle = this.blocks.get('properties');
    for (const { key, value } of handle === undefined ? [] : this.propertyEntries(handle)) {
      const name = key.toString('latin1');
      const row =
        document.find('Properties that decide how to read', 'name', name) ??
        document.find('Properties that count and tell', 'name', name);
      const reader = new FormReader(value);
      properties.set(name, row === undefined ? value.toString('hex') : (reader.form(row.form!) as bigint | string));
      if (row !== undefined && !reader.done) {
        throw new Error(`property ${name} is longer than ${row.form}`);
      }
    }
    return properties;
  }

  /** The sequence of an ingested file may have been patched into the block without mending the checksum. */
  private propertyEntries(handle: Handle): BlockEntry[] {
    const stored = Buffer.from(this.file.subarray(handle.offset, handle.offset + handle.size));
    const entries = this.rules.entries(stored);
    if (!this.checksumFits(handle, stored)) {
      const patched = entries.find(({ key }) => key.toString('latin1') === 'rocksdb.external_sst_file.global_seqno');
      const value = patched?.value.toString('hex') ?? '';
      patched?.value.fill(0);
      this.verify(handle, stored);
      patched?.value.write(value, 'hex');
    }
    return entries;
  }

  private readIndex(handle: Handle, levels: number, hasFirstKey: boolean): IndexEntry[] {
    const entries = this.indexBlock(handle, levels === 1 && hasFirstKey);
    return levels === 1 ? entries : entries.flatMap((entry) => this.readIndex(entry.handle, levels - 1, hasFirstKey));
  }

  /** One block of an index, or the top of a partitioned filter. */
  private indexBlock(handle: Handle, hasFirstKey: boolean): IndexEntry[] {
    const differences = this.number('rocksdb.index.value.is.delta.encoded');
    const found: Omit<IndexEntry, 'key'>[] = [];
    const read = (reader: FormReader, shared: number): void => {
      const next = this.indexHandle(reader, differences, shared, found.at(-1)?.handle);
      found.push({ handle: next, firstKey: hasFirstKey ? (reader.form('lps') as Buffer) : undefined });
    };
    const entries = this.rules.entries(this.bytesOf(handle), differences === 0 ? undefined : read);
    for (const entry of differences === 0 ? entries : []) {
      read(new FormReader(entry.value), entry.shared);
    }
    return entries.map(({ key }, i) => ({ key, ...found[i]! }));
  }

  private indexHandle(reader: FormReader, differences: number, shared: number, last: Handle | undefined): Handle {
    const rows = this.rules.document.table('Index values').filter((row) => Number(row.differences) === differences);
    const row = rows.find((each) => each.shared === 'any' || (each.shared === '0') === (shared === 0));
    const value = reader.form(row?.form ?? 'handle');
    if (typeof value !== 'bigint') {
      return value as Handle;
    }
    if (last === undefined) {
      throw new Error('a difference without a handle before it');
    }
    return { offset: endOf(last), size: last.size + Number(value) };
  }

  private readData(table: DecodedTable, blocks: readonly IndexEntry[], dictionary: Buffer | undefined): void {
    // Where one block does not begin right behind the other, all of them are padded.
    const padded = blocks.some(({ handle }, i) => i > 0 && handle.offset !== endOf(blocks[i - 1]!.handle));
    for (const { key, handle, firstKey } of blocks) {
      const typeId = this.rules.trailerOf(this.file, handle).number('compression type');
      const block = this.bytesOf(handle, dictionary);
      const raw = this.rules.entries(block);
      const entries = this.internalEntries(raw);
      table.codecs.add(this.rules.document.row('Compression types', 'id', typeId).name!);
      table.hashBuckets += this.rules.checkHashIndex(block, raw, userKeyOf);
      table.entries.push(...entries);
      table.dataBlocks++;
      const size = handle.size + TRAILER_SIZE;
      table.dataSize += padded ? Math.ceil(size / ALIGNMENT) * ALIGNMENT : size;
      if (firstKey !== undefined && !firstKey.equals(raw[0]!.key)) {
        throw new Error('the first key in the index is not that of the block');
      }
      if (this.compare(this.indexUserKey(key), entries.at(-1)!.key) < 0) {
        throw new Error('a separator is smaller than the last key of its block');
      }
    }
  }

  private readFilter(): DecodedFilter | undefined {
    const { filters } = this.rules;
    const full = this.blocks.get('filter');
    if (full !== undefined) {
      const bits = this.bytesOf(full);
      return { kind: filters.kindOf(bits), partitions: 1, mayMatch: (key) => filters.mayMatch(bits, key) };
    }
    const top = this.blocks.get('partitioned filter');
    if (top === undefined) {
      return undefined;
    }
    const partitions = this.indexBlock(top, false).map(({ key, handle }) => ({
      key: this.indexUserKey(key),
      bits: this.bytesOf(handle),
    }));
    const find = (key: Uint8Array): Buffer =>
      (partitions.find((each) => this.compare(each.key, key) >= 0) ?? partitions.at(-1)!).bits;
    return {
      kind: filters.kindOf(partitions[0]!.bits),
      partitions: partitions.length,
      mayMatch: (key) => filters.mayMatch(find(key), key),
    };
  }

  /** Entries whose keys are internal ones; an ingested file's sequence takes the place of theirs. */
  private internalEntries(entries: readonly BlockEntry[]): TableEntry[] {
    const ingested = this.properties.get('rocksdb.external_sst_file.global_seqno') as bigint;
    return entries.map(({ key, value }) => {
      const suffix = key.readBigUInt64LE(key.length - INTERNAL_SUFFIX_SIZE);
      const typeId = Number(suffix & 0xffn);
      const { name } = this.rules.document.row('Entry types', 'id', typeId);
      const sequence = ingested === 0n ? suffix >> LOW_BITS_OF_TYPE : ingested;
      return { key: userKeyOf(key), sequence, type: name!, typeId, value, keySize: key.length };
    });
  }

  private indexUserKey(key: Buffer): Buffer {
    return this.number('rocksdb.index.key.is.user.key') === 1 ? key : userKeyOf(key);
  }

  private compare(a: Uint8Array, b: Uint8Array): number {
    const name = this.properties.get('rocksdb.comparator') as string;
    const order = this.rules.document.find('Comparators', 'name', name)?.order ?? '';
    return order === 'the reverse' ? Buffer.compare(b, a) : Buffer.compare(a, b);
  }

  private number(property: string): number {
    return Number(this.properties.get(property));
  }

  /** A block of entries that no version compresses. */
  private plainBlock(handle: Handle): BlockEntry[] {
    return this.rules.entries(this.bytesOf(handle));
  }

  /** A block's bytes, verified and uncompressed. */
  private bytesOf(handle: Handle, dictionary?: Buffer): Buffer {
    const stored = this.file.subarray(handle.offset, handle.offset + handle.size);
    this.verify(handle, stored);
    const typeId = this.rules.trailerOf(this.file, handle).number('compression type');
    return this.rules.uncompressed(stored, typeId, this.footer.version, dictionary);
  }

  private verify(handle: Handle, stored: Buffer): void {
    if (!this.checksumFits(handle, stored)) {
      throw new Error(`the checksum of the block at ${handle.offset} does not fit`);
    }
  }

  private checksumFits(handle: Handle, stored: Buffer): boolean {
    const { base, checksumType } = this.footer;
    if (this.rules.checksums.isNone(checksumType)) {
      return true;
    }
    const trailer = this.rules.trailerOf(this.file, handle);
    const typeId = trailer.number('compression type');
    const expected = this.rules.checksums.stored(checksumType, stored, typeId, base, handle.offset);
    return BigInt(trailer.number('checksum')) === expected;
  }
}

/** The offset behind a block and its trailer. */
function endOf({ offset, size }: Handle): number {
  return offset + size + TRAILER_SIZE;
}

function userKeyOf(internalKey: Buffer): Buffer {
  return internalKey.subarray(0, internalKey.length - INTERNAL_SUFFIX_SIZE);
}
