/** A decoder under hostile input, and the loop that holds it to its promises. */

import { DBError } from '../../../format/base/db-error.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { Random } from '../../support/random.ts';
import { mutate } from './mutator.ts';

/** One decoder. */
export interface FuzzTarget {
  name: string;
  /** Sound inputs, from which hostile ones are made. Each must decode. */
  corpus: readonly Uint8Array[];
  /** Makes the checksums of damaged bytes right again, so that the damage gets past them. */
  mend?: (bytes: Uint8Array) => void;
  /** Decodes, and gives what came out as text. `bytes` is borrowed, and has other bytes before and behind it. */
  decode: (bytes: Uint8Array) => string;
  /** Errors that are not `DBError`s and documented. */
  mayThrow?: (error: unknown) => boolean;
  /** One input of this target stands for so many of a plain one. */
  cost?: number;
}

/** How long to go on: at least so many inputs, and at least so long. */
export interface FuzzLimits {
  rounds: number;
  seconds: number;
}

/** What a run met. */
export interface FuzzReport {
  inputs: number;
  refused: number;
  /** The longest decoding, with the round it came in. For information: machines are noisy. */
  slowestMs: number;
  slowestRound: number;
}

const CODES: ReadonlySet<string> = new Set(['CORRUPTION', 'NOT_SUPPORTED', 'INVALID_ARGUMENT']);
/** What decoders may keep for their own use: working space of codecs. */
const KEPT_BYTES_MAX = 8 << 20;
const MARGIN = 64;

/** The outcome of one decoding, between margins of `poison`. */
function outcomeOf(target: FuzzTarget, input: Uint8Array, poison: number): string {
  const room = new Uint8Array(input.length + 2 * MARGIN).fill(poison);
  room.set(input, MARGIN);
  try {
    return `gives ${target.decode(room.subarray(MARGIN, MARGIN + input.length))}`;
  } catch (error) {
    if (error instanceof DBError && CODES.has(error.code)) return `refuses: ${error.code} ${error.message}`;
    if (target.mayThrow?.(error) === true) return `refuses: ${error}`;
    throw error;
  }
}

/** What every input must do: end in an answer or a typed refusal that depends on nothing but its own bytes. */
function tryInput(target: FuzzTarget, input: Uint8Array): { outcome: string; elapsedMs: number } {
  const started = performance.now();
  const outcome = outcomeOf(target, input, 0xff);
  const elapsedMs = performance.now() - started;
  const again = outcomeOf(target, input, 0x01);
  if (again !== outcome) throw new Error(`the answer depends on bytes outside: ${outcome} or ${again}`);
  return { outcome, elapsedMs };
}

/** Feeds a target hostile inputs. Throws with the round and the input's bytes when it breaks a promise. */
export function fuzz(target: FuzzTarget, seed: number, limits: FuzzLimits): FuzzReport {
  for (const [index, input] of target.corpus.entries()) {
    const { outcome } = tryInput(target, input);
    if (!outcome.startsWith('gives')) throw new Error(`${target.name}: sound input ${index}: ${outcome}`);
  }
  const random = new Random(seed);
  const kernel = getKernel();
  const before = kernel.x.allocatedBytes();
  const report: FuzzReport = { inputs: 0, refused: 0, slowestMs: 0, slowestRound: 0 };
  const rounds = Math.ceil(limits.rounds / (target.cost ?? 1));
  const started = performance.now();
  while (report.inputs < rounds || performance.now() - started < limits.seconds * 1000) {
    const input = mutate(target.corpus, random);
    if (target.mend !== undefined && random.oneIn(2)) target.mend(input);
    try {
      const { outcome, elapsedMs } = tryInput(target, input);
      if (outcome.startsWith('refuses')) report.refused++;
      if (elapsedMs > report.slowestMs) {
        report.slowestMs = elapsedMs;
        report.slowestRound = report.inputs;
      }
    } catch (error) {
      const bytes = Buffer.from(input).toString('hex').slice(0, 4000);
      throw new Error(`${target.name}, round ${report.inputs}, seed ${seed}: ${error}\ninput ${bytes}`, {
        cause: error,
      });
    }
    report.inputs++;
  }
  const kept = kernel.x.allocatedBytes() - before;
  if (kept > KEPT_BYTES_MAX) throw new Error(`${target.name}: ${kept} bytes of kernel memory were not given back`);
  return report;
}
