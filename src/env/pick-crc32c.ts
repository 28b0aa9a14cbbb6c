/**
 * Chooses the CRC-32C implementation of this thread once: each that is there must pass a self-test, and the fastest over a block
 * of 4 KiB is taken. `PUMICE_CRC32C` forces one.
 */
import { createRequire } from 'node:module';
import { invalidArgument } from '../../format/base/db-error.ts';
import {
  type Crc32c,
  type Crc32cAddon,
  crc32c,
  javascriptCrc32c,
  nativeCrc32c,
  useCrc32c,
  wasmCrc32c,
} from '../../format/kernel/crc32c-choice.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import type { Clock } from './clock.ts';
import { environmentVariable } from './host.ts';

const VARIABLE = 'PUMICE_CRC32C';
const ADDON = '@node-rs/crc32';
const SAMPLE_SIZE = 4096;
const ROUNDS = 4;
/** The sums of the sample's first bytes, by their count: a byte, whole and broken steps of every implementation, all of it. */
const SAMPLE_SUMS: readonly (readonly [number, number])[] = [
  [1, 0xfd0bd8ed],
  [31, 0x926b75f4],
  [255, 0x9be08da3],
  [2049, 0x852b41d5],
  [4096, 0xf7c0a1c3],
];
/** Where the sample is cut in two, to see that a sum can be continued. */
const CUTS = [0, 1, 2047];

/** What the choice was made for: the variable's value, or none. */
let pickedFor: string | undefined | null = null;

/** The addon if it is installed. It is no dependency: who wants the processor's instruction installs it beside Pumice. */
function loadAddon(): Crc32cAddon | undefined {
  try {
    return createRequire(import.meta.url)(ADDON) as Crc32cAddon;
  } catch {
    return undefined;
  }
}

/** The implementations of this machine, the kernel's first. */
export function availableCrc32c(addon: Crc32cAddon | undefined = loadAddon()): Crc32c[] {
  const found = [wasmCrc32c(), javascriptCrc32c()];
  if (addon !== undefined) found.push(nativeCrc32c(addon));
  return found;
}

/** Runs `use` with `SAMPLE_SIZE` bytes of kernel memory in a fixed pattern. */
function withSample<T>(use: (at: number) => T): T {
  const kernel = getKernel();
  const at = kernel.malloc(SAMPLE_SIZE);
  try {
    for (let i = 0; i < SAMPLE_SIZE; i++) kernel.u8[at + i] = (i * 131 + (i >>> 8) * 17 + 29) & 0xff;
    return use(at);
  } finally {
    kernel.free(at);
  }
}

/** Whether `implementation` gives the sums of the sample, in one piece and in two. */
export function passesSelfTest({ extend }: Crc32c): boolean {
  const whole = SAMPLE_SUMS[SAMPLE_SUMS.length - 1]![1];
  try {
    return withSample(
      (at) =>
        SAMPLE_SUMS.every(([size, sum]) => extend(0, at, size) >>> 0 === sum) &&
        CUTS.every((cut) => extend(extend(0, at, cut), at + cut, SAMPLE_SIZE - cut) >>> 0 === whole),
    );
  } catch {
    // An addon that does not take shared memory throws.
    return false;
  }
}

/** The one with the shortest best time; of equals the first. */
export function fastestCrc32c(candidates: readonly Crc32c[], clock: Clock): Crc32c {
  return withSample((at) => {
    let best = candidates[0]!;
    let bestMicros = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      let micros = Number.POSITIVE_INFINITY;
      for (let round = 0; round < ROUNDS; round++) {
        const start = clock.monotonicMicros();
        candidate.extend(0, at, SAMPLE_SIZE);
        micros = Math.min(micros, clock.monotonicMicros() - start);
      }
      if (micros < bestMicros) [best, bestMicros] = [candidate, micros];
    }
    return best;
  });
}

/**
 * Chooses for this thread, unless that was done. `INVALID_ARGUMENT` when `PUMICE_CRC32C` names one that is not there or that
 * fails the self-test.
 */
export function pickCrc32c(clock: Clock): Crc32c {
  const forced = environmentVariable(VARIABLE);
  if (pickedFor === forced) return crc32c();
  const sound = availableCrc32c().filter(passesSelfTest);
  const named = sound.filter(({ name }) => forced === undefined || forced === '' || name === forced);
  if (named.length === 0) {
    const names = sound.map(({ name }) => name).join(', ');
    throw invalidArgument(`${VARIABLE} is "${forced}", but here there are only: ${names} (native needs ${ADDON})`);
  }
  useCrc32c(fastestCrc32c(named, clock));
  pickedFor = forced;
  return crc32c();
}
