/** Block checksums as the document tells them, over published hash functions from another library. */

import { createCRC32, createXXHash3, createXXHash32, createXXHash64 } from 'hash-wasm';
import type { FormatDocument } from './document.ts';

type HashFunction = (bytes: Uint8Array) => bigint;

const LOW_HALF = 0xffffffffn;

/** The checksums of one document. */
export class DocumentChecksums {
  private readonly document: FormatDocument;
  private readonly functions: Readonly<Record<string, HashFunction>>;

  private constructor(document: FormatDocument, functions: Readonly<Record<string, HashFunction>>) {
    this.document = document;
    this.functions = functions;
  }

  static async load(document: FormatDocument): Promise<DocumentChecksums> {
    const polynomial = Number(document.constant('Checksum constants', 'polynomial'));
    const made = {
      'CRC-32': await createCRC32(polynomial),
      XXH32: await createXXHash32(0),
      XXH64: await createXXHash64(0, 0),
      XXH3: await createXXHash3(0, 0),
    };
    const functions = Object.entries(made).map(([name, hash]): [string, HashFunction] => [
      name,
      (bytes) => BigInt(`0x${hash.init().update(bytes).digest('hex')}`),
    ]);
    return new DocumentChecksums(document, Object.fromEntries(functions));
  }

  /** True where nothing is checked. */
  isNone(type: number): boolean {
    return this.document.row('Checksum types', 'id', type).function === 'none';
  }

  /** What is stored for `data` with its type byte at a place of the file; `base` 0 where the place does not count. */
  stored(type: number, data: Uint8Array, typeByte: number, base: bigint, offset: number): bigint {
    const row = this.document.row('Checksum types', 'id', type);
    const hash = this.functions[row.function!];
    if (hash === undefined) {
      throw new Error(`the document names a checksum function '${row.function}'`);
    }
    const over = row.over === 'data' ? data : Buffer.concat([data, Buffer.of(typeByte)]);
    const checksum = this.finish(row.stored!, hash(over), typeByte);
    const place = BigInt(offset);
    const modifier = base === 0n ? 0n : base ^ (((place & LOW_HALF) + (place >> 32n)) & LOW_HALF);
    return (checksum + modifier) & LOW_HALF;
  }

  private finish(how: string, hash: bigint, typeByte: number): bigint {
    const constant = (name: string): bigint => this.document.constant('Checksum constants', name);
    if (how === 'masked') {
      const rotation = constant('rotation');
      return (((hash >> rotation) | (hash << (32n - rotation))) + constant('delta')) & LOW_HALF;
    }
    const low = hash & LOW_HALF;
    return how.endsWith('type mixed in') ? low ^ ((BigInt(typeByte) * constant('multiplier')) & LOW_HALF) : low;
  }
}
