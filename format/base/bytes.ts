/** Small operations on byte strings and text that every layer needs: joining, copying, UTF-8, hex. */
import { invalidArgument } from './db-error.ts';

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** No bytes. */
export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/** The UTF-8 bytes of `text`, owned by the caller. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes; malformed sequences become U+FFFD. For messages and logs. */
export function textOf(bytes: Uint8Array): string {
  return lenientDecoder.decode(unshared(bytes));
}

/** Text of UTF-8 bytes, or `undefined` when they are not well-formed UTF-8. */
export function strictTextOf(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(unshared(bytes));
  } catch {
    return undefined;
  }
}

/** The bytes one by one as characters U+0000..U+00FF: exact for any input, so usable as a map key. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Lower-case hex digits. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** The bytes of hex digits; `INVALID_ARGUMENT` when the text is not an even number of them. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) throw invalidArgument('not a string of hex digits');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** All parts in one new array. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const result = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** Whether `bytes` begins with `prefix`. */
export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (prefix.length > bytes.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}

/** Bytes of a public argument: a string stands for its UTF-8. A `Uint8Array` is returned as it is, still the caller's. */
export function bytesOf(argument: Uint8Array | string, what: string): Uint8Array {
  if (typeof argument === 'string') return encoder.encode(argument);
  if (argument instanceof Uint8Array) return argument;
  throw invalidArgument(`${what} must be a Uint8Array or a string, not ${describe(argument)}`);
}

/** The kind of a wrong argument, for messages; never its content. */
export function describe(argument: unknown): string {
  if (argument === null) return 'null';
  if (Array.isArray(argument)) return 'an array';
  return typeof argument === 'object' ? `a ${argument.constructor?.name ?? 'plain object'}` : typeof argument;
}

/** `TextDecoder` takes no views of shared memory. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : copyOf(bytes);
}

/**
 * A copy that shares no memory with `bytes`. `slice()` is no such thing for a `Buffer`, which is what users often give: there
 * it is a view.
 */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
