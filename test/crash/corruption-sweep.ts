/**
 * Damages a small database in every way bytes get damaged, one way at a time, and classifies what the database makes of
 * it: detected, harmless, reported as dropped; anything else is a violation.
 */

import { fileKindOf } from '../../src/env/file-operation.ts';
import { MemoryFileSystem } from '../../src/env/memory-file-system.ts';
import { DB, DBError, Env, type Options } from '../../src/index.ts';
import type { OptionSet } from '../model/option-sets.ts';
import { openOptions } from '../model/option-sets.ts';
import type { Random } from '../support/random.ts';
import { fingerprintOf, type History, Violation } from './history.ts';

const DIRECTORY = '/db';
const SECTOR_BYTES = 512;
const SLOW_MS = 10_000;

/** One change of one file's bytes. */
export interface Mutation {
  file: string;
  /** For the report. */
  name: string;
  apply(bytes: Uint8Array): Uint8Array;
}

/** A closed database, its files, and the writes that made it. */
export interface Victim {
  name: string;
  optionSet: OptionSet;
  history: History;
  files: ReadonlyMap<string, Uint8Array>;
}

/** How many mutations ended in which way. */
export class SweepTotals {
  detected = 0;
  harmless = 0;
  /** A log's end was dropped and `db.recovery` says so. */
  reported = 0;
  /**
   * A log or a MANIFEST cut exactly between two of its records: no reader can know that there were more. What was synced
   * is never cut by a crash; C++ RocksDB has the same limit.
   */
  cutBetweenRecords = 0;

  get mutations(): number {
    return this.detected + this.harmless + this.reported + this.cutBetweenRecords;
  }
}

/** Reads all files of a database directory; LOCK and LOG are not part of the database. */
export function readFiles(fileSystem: MemoryFileSystem): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const name of fileSystem.listSync(DIRECTORY)) {
    const kind = fileKindOf(`/${name}`);
    if (kind === 'lock' || kind === 'log' || fileSystem.statSync(`${DIRECTORY}/${name}`).kind !== 'file') {
      continue;
    }
    const file = fileSystem.openRandomSync(`${DIRECTORY}/${name}`);
    const bytes = new Uint8Array(file.sizeSync());
    file.readSync(bytes, 0);
    file.closeSync();
    files.set(name, bytes);
  }
  return files;
}

/** Every mutation of one file: each bit, each truncation, zeroed sectors, swapped sectors; `limit` of them, drawn evenly. */
export function mutationsOf(file: string, bytes: Uint8Array, limit: number, random: Random): Mutation[] {
  const makers: ((index: number) => Mutation)[] = [];
  const counts: number[] = [];
  const add = (count: number, make: (index: number) => Mutation): void => {
    counts.push(count);
    makers.push(make);
  };
  add(bytes.length * 8, (bit) => ({
    file,
    name: `bit ${bit & 7} of byte ${bit >> 3}`,
    apply: (old) => replaced(old, bit >> 3, [old[bit >> 3]! ^ (1 << (bit & 7))]),
  }));
  add(bytes.length, (size) => ({ file, name: `cut to ${size} bytes`, apply: (old) => old.slice(0, size) }));
  const sectors = Math.ceil(bytes.length / SECTOR_BYTES);
  add(sectors, (sector) => ({ file, name: `sector ${sector} zeroed`, apply: (old) => zeroed(old, sector) }));
  add(sectors > 1 ? sectors : 0, (sector) => ({
    file,
    name: `sectors ${sector} and ${(sector + 1) % sectors} swapped`,
    apply: (old) => swapped(old, sector, (sector + 1) % sectors),
  }));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const step = Math.max(1, total / limit);
  const mutations: Mutation[] = [];
  for (let at = random.below(Math.ceil(step)); at < total; at += step) {
    let index = Math.floor(at);
    let kind = 0;
    while (index >= counts[kind]!) {
      index -= counts[kind]!;
      kind++;
    }
    mutations.push(makers[kind]!(index));
  }
  return mutations;
}

function replaced(bytes: Uint8Array, at: number, by: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(by, at);
  return copy;
}

function zeroed(bytes: Uint8Array, sector: number): Uint8Array {
  return bytes.slice().fill(0, sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
}

function swapped(bytes: Uint8Array, a: number, b: number): Uint8Array {
  const copy = bytes.slice();
  const length = Math.min(SECTOR_BYTES, bytes.length - a * SECTOR_BYTES, bytes.length - b * SECTOR_BYTES);
  copy.set(bytes.subarray(b * SECTOR_BYTES, b * SECTOR_BYTES + length), a * SECTOR_BYTES);
  copy.set(bytes.subarray(a * SECTOR_BYTES, a * SECTOR_BYTES + length), b * SECTOR_BYTES);
  return copy;
}

/**
 * Opens the victim with one mutation, reads everything, compacts, reads again; every fourth time read-only before.
 * Throws `Violation`.
 */
export async function tryMutation(victim: Victim, mutation: Mutation, totals: SweepTotals): Promise<void> {
  const what = `${victim.name}: ${mutation.file}, ${mutation.name}`;
  const started = performance.now();
  const fileSystem = build(victim, mutation);
  const env = new Env({ fileSystem });
  try {
    const passes: Options[] = totals.mutations % 4 === 0 ? [{ readOnly: true }, {}] : [{}];
    for (const extra of passes) {
      const verdict = await readThrough(victim, mutation, { ...extra, env }, what);
      if (extra.readOnly !== true) {
        totals[verdict]++;
      }
    }
  } finally {
    await env.close();
  }
  if (performance.now() - started > SLOW_MS) {
    throw new Violation(`${what}: took ${Math.round(performance.now() - started)} ms`);
  }
}

async function readThrough(
  victim: Victim,
  mutation: Mutation,
  options: Options,
  what: string,
): Promise<'detected' | 'harmless' | 'reported' | 'cutBetweenRecords'> {
  const { optionSet, history } = victim;
  let db: DB;
  try {
    db = await DB.open(DIRECTORY, openOptions(optionSet, options));
  } catch (error) {
    return expectTyped(error, what);
  }
  try {
    const names = Object.keys(optionSet.families);
    const found = fingerprintOf(db, optionSet, names);
    const whole = history.fingerprintAt(history.length);
    if (options.readOnly !== true) {
      await db.compactRange();
      if (fingerprintOf(db, optionSet, names) !== found) {
        throw new Violation(`${what}: a compaction changes the content`);
      }
    }
    if (found === whole) {
      return db.recovery.droppedBytes > 0 ? 'reported' : 'harmless';
    }
    const kind = fileKindOf(`/${mutation.file}`);
    if (kind === 'manifest' && mutation.name.startsWith('cut to')) {
      return 'cutBetweenRecords';
    }
    if (kind !== 'wal') {
      throw new Violation(`${what}: the content is wrong, and nobody says so`);
    }
    history.match(found, 0, history.length, what);
    if (db.recovery.droppedBytes > 0) {
      return 'reported';
    }
    if (mutation.name.startsWith('cut to')) {
      return 'cutBetweenRecords';
    }
    throw new Violation(`${what}: writes are lost, and nothing is reported as dropped`);
  } catch (error) {
    return expectTyped(error, what);
  } finally {
    await db.close().catch((error: unknown) => expectTyped(error, what));
  }
}

/** An error that says what is wrong counts as detection; anything untyped does not. */
function expectTyped(error: unknown, what: string): 'detected' {
  if (error instanceof Violation) {
    throw error;
  }
  if (!(error instanceof DBError)) {
    throw new Violation(`${what}: fails with something that is no DBError: ${(error as Error).stack}`, {
      cause: error,
    });
  }
  return 'detected';
}

function build(victim: Victim, mutation: Mutation): MemoryFileSystem {
  const fileSystem = new MemoryFileSystem();
  fileSystem.mkdirSync(DIRECTORY);
  for (const [name, bytes] of victim.files) {
    const file = fileSystem.createWritableSync(`${DIRECTORY}/${name}`);
    file.appendSync([name === mutation.file ? mutation.apply(bytes) : bytes]);
    file.closeSync();
  }
  return fileSystem;
}
