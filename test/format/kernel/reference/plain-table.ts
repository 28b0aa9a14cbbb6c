/** Just enough of a table reader to take the filter block and the user keys out of an uncompressed file of version 4 or 5. */

import { readFileSync } from 'node:fs';

class Cursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  take(size: number): Buffer {
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
}

interface Entry {
  key: Buffer;
  value: Buffer;
}

/** The entries of a block. In an index of these versions a value is a handle without a length before it. */
function entriesOf(block: Buffer, isIndex: boolean): Entry[] {
  const restarts = block.readUInt32LE(block.length - 4) & 0x7fffffff;
  const cursor = new Cursor(block.subarray(0, block.length - 4 - 4 * restarts));
  const entries: Entry[] = [];
  let key = Buffer.alloc(0);
  while (cursor.at < cursor.bytes.length) {
    const shared = cursor.varint();
    const rest = cursor.varint();
    const valueSize = isIndex ? undefined : cursor.varint();
    key = Buffer.concat([key.subarray(0, shared), cursor.take(rest)]);
    const from = cursor.at;
    if (valueSize === undefined) {
      cursor.varint();
      cursor.varint();
      cursor.at -= from;
    }
    const size = valueSize ?? cursor.at;
    if (valueSize === undefined) cursor.at = from;
    entries.push({ key, value: cursor.take(size) });
  }
  return entries;
}

/** What a test of filters wants to know of a table. */
export interface PlainTable {
  filter: Buffer;
  /** User keys in file order, each once. */
  keys: Buffer[];
}

/** Reads the table at `path`: no compression, an index of restart interval 1, one full filter. */
export function readPlainTable(path: string): PlainTable {
  const file = readFileSync(path);
  const blockAt = (handle: Cursor): Buffer => {
    const offset = handle.varint();
    return file.subarray(offset, offset + handle.varint());
  };
  const footer = new Cursor(file, file.length - 52);
  const meta = entriesOf(blockAt(footer), false);
  const index = entriesOf(blockAt(footer), true);
  const filter = meta.find((entry) => entry.key.toString().startsWith('fullfilter.'));
  if (filter === undefined) throw new Error(`no full filter in ${path}`);
  const keys: Buffer[] = [];
  for (const { value } of index) {
    for (const { key } of entriesOf(blockAt(new Cursor(value)), false)) {
      const userKey = key.subarray(0, key.length - 8);
      if (keys.length === 0 || !keys[keys.length - 1]!.equals(userKey)) keys.push(userKey);
    }
  }
  return { filter: blockAt(new Cursor(filter.value)), keys };
}
