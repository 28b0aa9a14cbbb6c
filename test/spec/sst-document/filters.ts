/** Asks filters as the document describes them, with its numbers. */

import { Hash64, hash32Reference } from '../../format/kernel/reference/filter-hash.ts';
import { byteSwap, parity } from '../../support/bit-math.ts';
import { bytesOf, type FormatDocument } from './document.ts';
import { type FieldSet, FormReader } from './layout.ts';

const M64 = (1n << 64n) - 1n;
const M128 = (1n << 128n) - 1n;
const M32 = 0xffffffffn;
const END_SIZE = 5;
const BLOOM_LINE_SIZE = 64;
const PROBES_MASK = 0x1f;
const RIBBON_COLUMNS_MAX = 32;

/** The filters of one document. */
export class DocumentFilters {
  private readonly document: FormatDocument;
  private readonly hash64: Hash64;

  constructor(document: FormatDocument) {
    this.document = document;
    const secret = Buffer.concat(document.table('The secret').map((row) => bytesOf(row.bytes!)));
    const p64 = (n: number): bigint => this.constant(`P64_${n}`);
    const p32 = (n: number): bigint => this.constant(`P32_${n}`);
    this.hash64 = new Hash64({
      p64: { 1: p64(1), 2: p64(2), 3: p64(3), 4: p64(4), 5: p64(5) },
      p32: { 1: p32(1), 2: p32(2), 3: p32(3) },
      secret,
    });
  }

  /** The bucket of a user key in a hash index of `buckets`. */
  hashIndexBucket(key: Uint8Array, buckets: number): number {
    return this.hash(key, 'hash index seed') % buckets;
  }

  /** The kind of a filter by the document's name, undefined for one from the future. */
  kindOf(filter: Buffer): string | undefined {
    return this.kindRow(filter)?.name;
  }

  /** False where the key was surely not put into the filter. */
  mayMatch(filter: Buffer, key: Uint8Array): boolean {
    if (filter.length <= END_SIZE) {
      return false;
    }
    const row = this.kindRow(filter);
    if (row === undefined) {
      return true;
    }
    const end = this.endOf(filter, row['layout of the last 5 bytes']!);
    const bits = filter.subarray(0, filter.length - END_SIZE);
    if (row.name === 'Ribbon') {
      return this.ribbonMatches(bits, end, key);
    }
    return row.name === 'FastLocalBloom' ? this.bloomMatches(bits, end, key) : this.legacyMatches(bits, end, key);
  }

  private kindRow(filter: Buffer): Readonly<Record<string, string>> | undefined {
    const kind = filter.readInt8(filter.length - END_SIZE);
    const row = this.document.find('Filter kinds', 'kind byte', kind);
    const further = /^(\S+) is (\d+)$/.exec(row?.further ?? '');
    if (row === undefined || further === null) {
      return row;
    }
    const end = this.endOf(filter, row['layout of the last 5 bytes']!);
    return end.number(further[1]!) === Number(further[2]) ? row : undefined;
  }

  private endOf(filter: Buffer, layout: string): FieldSet {
    return new FormReader(filter, filter.length - END_SIZE).layout(this.document.table(layout));
  }

  private bloomMatches(bits: Buffer, end: FieldSet, key: Uint8Array): boolean {
    const golden = Number(this.constant('golden'));
    const hash = this.hash64.of(key);
    const line = Number(((hash & M32) * BigInt(bits.length / BLOOM_LINE_SIZE)) >> 32n) * BLOOM_LINE_SIZE;
    let g = Number(hash >> 32n);
    for (let probe = 0; probe < (end.number('probes') & PROBES_MASK); probe++) {
      if (!isSet(bits, line, g >>> 23)) {
        return false;
      }
      g = Math.imul(g, golden) >>> 0;
    }
    return true;
  }

  private legacyMatches(bits: Buffer, end: FieldSet, key: Uint8Array): boolean {
    const lines = end.number('lines');
    const lineSize = bits.length / lines;
    let h = this.hash(key, 'legacy seed');
    const line = (h % lines) * lineSize;
    const delta = ((h >>> 17) | (h << 15)) >>> 0;
    for (let probe = 0; probe < end.number('probes'); probe++) {
      if (!isSet(bits, line, h % (8 * lineSize))) {
        return false;
      }
      h = (h + delta) >>> 0;
    }
    return true;
  }

  private ribbonMatches(bits: Buffer, end: FieldSet, key: Uint8Array): boolean {
    const blocks = end.number('blocks');
    if (blocks < 2) {
      return true;
    }
    const t = (BigInt(end.number('seed')) * this.constant('ribbon seed')) & M64;
    const raw = (t ^ ((t & this.constant('ribbon mask')) >> 4n)) & M32;
    const h = ((this.hash64.of(key) ^ raw) * this.constant('ribbon rehash')) & M64;
    const start = Number((h * BigInt(blocks * 128 - 127)) >> 64n);
    const a = (h * this.constant('ribbon row')) & M64;
    const row = (a << 64n) | (a ^ this.constant('ribbon low')) | 1n;
    const expected = byteSwap(a) & M32;

    const segments = Math.floor(bits.length / 16);
    const most = Math.min(Math.ceil(segments / blocks), RIBBON_COLUMNS_MAX);
    const shorter = Math.max(0, most * blocks - segments);
    const block = Math.floor(start / 128);
    const shift = BigInt(start % 128);
    const first = block * most - Math.min(block, shorter);
    const columns = most - (block < shorter ? 1 : 0);
    const segment = (i: number): bigint => bits.readBigUInt64LE(i * 16) | (bits.readBigUInt64LE(i * 16 + 8) << 64n);
    for (let i = 0; i < columns; i++) {
      let met = segment(first + i) & ((row << shift) & M128);
      if (shift > 0n) {
        met ^= segment(first + columns + i) & (row >> (128n - shift));
      }
      if (parity(met) !== ((expected >> BigInt(i)) & 1n)) {
        return false;
      }
    }
    return true;
  }

  private hash(key: Uint8Array, seed: string): number {
    const multiplier = Number(this.constant('hash multiplier'));
    return hash32Reference(key, Number(this.constant(seed)), false, multiplier);
  }

  private constant(name: string): bigint {
    return this.document.constant('Hash constants', name);
  }
}

function isSet(bits: Buffer, line: number, bit: number): boolean {
  return (bits[line + (bit >> 3)]! & (1 << (bit & 7))) !== 0;
}
