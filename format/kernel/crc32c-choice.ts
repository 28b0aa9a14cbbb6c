/**
 * The implementations of CRC-32C over kernel memory, and the one that this thread uses where a sum is asked for from outside of
 * the kernel: reading logs, checking blocks, copying files. What the kernel writes itself (records of logs, blocks) it also sums
 * itself. `src/env/pick-crc32c.ts` tests and measures them and makes the choice.
 */
import { crc32cOfBytes } from './crc32c-slicing.ts';
import { getKernel } from './kernel.ts';

/** One implementation. */
export interface Crc32c {
  readonly name: Crc32cName;
  /** Continues an unmasked CRC-32C over `size` bytes at kernel address `at`; any 32 bits with or without sign. */
  readonly extend: (crc: number, at: number, size: number) => number;
}

/** Names, as `PUMICE_CRC32C` and the property `checksum.impl` have them. */
export type Crc32cName = 'wasm' | 'javascript' | 'native';

/** What is used of the package `@node-rs/crc32`. */
export interface Crc32cAddon {
  crc32c(input: Buffer, initialState?: number): number;
}

/** Below this a call out of JavaScript costs more than the hardware saves. */
const NATIVE_SIZE_MIN = 2048;

/** The kernel's own. */
export function wasmCrc32c(): Crc32c {
  return { name: 'wasm', extend: getKernel().x.crc32cExtend };
}

/** Slicing by eight in JavaScript: slower, and independent of the kernel, so it is the other voice of the self-test. */
export function javascriptCrc32c(): Crc32c {
  const { u8 } = getKernel();
  return { name: 'javascript', extend: (crc, at, size) => crc32cOfBytes(crc, u8, at, size) };
}

/** The processor's instruction through an addon, for all but short inputs. */
export function nativeCrc32c(addon: Crc32cAddon): Crc32c {
  const { memory, x } = getKernel();
  return {
    name: 'native',
    extend: (crc, at, size) =>
      size < NATIVE_SIZE_MIN
        ? x.crc32cExtend(crc, at, size)
        : addon.crc32c(Buffer.from(memory.buffer, at, size), crc >>> 0),
  };
}

let chosen: Crc32c | undefined;

/** The implementation of this thread: the kernel's until another is chosen. */
export function crc32c(): Crc32c {
  chosen ??= wasmCrc32c();
  return chosen;
}

/** Makes this thread use `implementation`. */
export function useCrc32c(implementation: Crc32c): void {
  chosen = implementation;
}
