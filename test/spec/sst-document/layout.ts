/** Reads bytes in the forms that the document names, one at a time or as a layout of fields. */

import { bytesOf, type Row } from './document.ts';

/** Where a block is; the size leaves its trailer out. */
export interface Handle {
  offset: number;
  size: number;
}

/** What a field can hold. */
export type FieldValue = bigint | Handle | Buffer | string;

/** A layout that was read: its fields by name. */
export class FieldSet {
  private readonly fields = new Map<string, FieldValue>();

  set(name: string, value: FieldValue): void {
    this.fields.set(name, value);
  }

  /** A number that must be below 2^53. */
  number(name: string): number {
    const value = this.fields.get(name);
    if (typeof value !== 'bigint' || value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new Error(`field '${name}' is no usable number: ${value}`);
    }
    return Number(value);
  }

  bytes(name: string): Buffer {
    const value = this.fields.get(name);
    if (!Buffer.isBuffer(value)) {
      throw new Error(`field '${name}' holds no bytes`);
    }
    return value;
  }

  handle(name: string): Handle {
    const value = this.fields.get(name);
    if (typeof value !== 'object' || Buffer.isBuffer(value)) {
      throw new Error(`field '${name}' holds no handle`);
    }
    return value;
  }

  has(name: string): boolean {
    return this.fields.has(name);
  }
}

/** A position in bytes, from which forms are read. Reading beyond the end throws. */
export class FormReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Reads the fields of a layout; its offsets count from `base`. */
  layout(rows: readonly Row[], base = this.at): FieldSet {
    const fields = new FieldSet();
    for (const { form = '', field = '', offset = '', always = '' } of rows) {
      if (offset !== '') {
        this.at = base + Number(offset);
      }
      const value = this.form(form, (name) => fields.number(name), base);
      fields.set(field, value);
      if (always !== '' && !bytesOf(always).equals(fields.bytes(field))) {
        throw new Error(`field '${field}' is not ${always}`);
      }
    }
    return fields;
  }

  /** Reads one form. */
  form(form: string, numberOf: (field: string) => number = Number, base = 0): FieldValue {
    const [, name = form, argument] = /^(\w+)\((.*)\)$/.exec(form) ?? [];
    const fixedBits = /^fixed(\d+)$/.exec(form)?.[1];
    if (fixedBits !== undefined) {
      return this.fixed(Number(fixedBits) / 8);
    }
    switch (name) {
      case 'u8':
        return this.fixed(1);
      case 'i8':
        return BigInt.asIntN(8, this.fixed(1));
      case 'varint32':
        return this.varint(5);
      case 'varint64':
        return this.varint(10);
      case 'signed varint':
        return unsign(this.varint(10));
      case 'handle':
        return { offset: Number(this.varint(10)), size: Number(this.varint(10)) };
      case 'lps':
        return this.take(Number(this.varint(5)));
      case 'text':
        return this.take(this.bytes.length - this.at).toString('utf8');
      case 'bytes':
        return this.take(/^\d+$/.test(argument!) ? Number(argument) : numberOf(argument!));
      case 'zeros':
        return this.zeros(base + Number(argument));
      default:
        throw new Error(`the document names no form '${form}'`);
    }
  }

  /** A form that is a number. */
  integer(form: string): bigint {
    const value = this.form(form);
    if (typeof value !== 'bigint') {
      throw new Error(`'${form}' is no number`);
    }
    return value;
  }

  private take(size: number): Buffer {
    if (!(size >= 0) || this.at + size > this.bytes.length) {
      throw new Error(`${size} bytes at ${this.at} of ${this.bytes.length}`);
    }
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  private fixed(size: number): bigint {
    return BigInt(`0x${Buffer.from(this.take(size)).reverse().toString('hex')}`);
  }

  private varint(sizeMax: number): bigint {
    let value = 0n;
    for (let i = 0; i < sizeMax; i++) {
      const byte = this.take(1)[0]!;
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) {
        return value;
      }
    }
    throw new Error(`a varint at ${this.at} has more than ${sizeMax} bytes`);
  }

  private zeros(end: number): Buffer {
    const zeros = this.take(end - this.at);
    if (zeros.some((byte) => byte !== 0)) {
      throw new Error(`not all zeros before ${end}`);
    }
    return zeros;
  }
}

function unsign(value: bigint): bigint {
  return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
}
