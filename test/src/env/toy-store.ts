/**
 * A tiny store with a log, for testing the crash models: if the models are any good, they find each mistake that can
 * be planted here. Its state is the list of numbers put so far, in order.
 *
 * Files: `CURRENT` holds the number b of the base; `base-b` holds all numbers before it; `log-n` for n >= b those
 * after, in order. Every file is a sequence of records `length:u8, crc:u8, log number:u8, payload`.
 */
import type { FileSystem, WritableFile } from '../../../src/env/file-system.ts';

/** Mistakes that people have made in real stores. */
export const PLANTED_BUGS = [
  'ack without sync',
  'sync before append',
  'retry after a failed sync',
  'no directory sync after rolling the log',
  'no sync of CURRENT before its rename',
  'no directory sync after the rename of CURRENT',
  'CURRENT written in place',
  'no sync of the base before CURRENT names it',
  'old logs unlinked before CURRENT names the base',
  'torn tail not cut before appending',
  'records not checked at recovery',
  'recycled log without its number in the records',
  'batch written as separate appends without a frame',
] as const;

/** One of them. */
export type PlantedBug = (typeof PLANTED_BUGS)[number];

const HEADER_BYTES = 3;

function checksum(bytes: Uint8Array): number {
  let sum = 17;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) & 0xffff;
  return (sum ^ (sum >>> 8)) & 0xff;
}

function encodeRecord(logNumber: number, numbers: readonly number[]): Uint8Array {
  const payload = Uint8Array.from(numbers.flatMap((n) => [n & 0xff, n >>> 8]));
  const record = new Uint8Array(HEADER_BYTES + payload.length);
  record.set([payload.length, 0, logNumber & 0xff]);
  record.set(payload, HEADER_BYTES);
  record[1] = checksum(record);
  return record;
}

function readAll(fs: FileSystem, path: string): Uint8Array {
  const file = fs.openRandomSync(path);
  const bytes = new Uint8Array(file.sizeSync());
  file.readSync(bytes, 0);
  file.closeSync();
  return bytes;
}

/** See the head of this file. */
export class ToyStore {
  /** What the store holds, in order. */
  readonly numbers: number[] = [];
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #bugs: ReadonlySet<PlantedBug>;
  #base = 0;
  #logNumber = 0;
  #log!: WritableFile;
  #spare: string | undefined;

  /** Opens or creates. Throws when what it finds cannot be. */
  constructor(fs: FileSystem, directory: string, bugs: readonly PlantedBug[] = []) {
    this.#fs = fs;
    this.#directory = directory;
    this.#bugs = new Set(bugs);
    if (fs.existsSync(`${directory}/CURRENT`)) this.#recover();
    else this.#create();
  }

  /** Adds numbers, all or none. When it returns they survive a power cut. */
  put(...added: number[]): void {
    const isSplit = this.#bugs.has('batch written as separate appends without a frame');
    const records = isSplit ? added.map((n) => [n]) : [added];
    if (this.#bugs.has('sync before append')) this.#log.syncSync('data');
    for (const record of records) this.#log.appendSync([encodeRecord(this.#logNumber, record)]);
    if (!this.#bugs.has('ack without sync') && !this.#bugs.has('sync before append')) this.#syncLog();
    this.numbers.push(...added);
  }

  /** Starts the next log. */
  roll(): void {
    this.#log.closeSync();
    this.#logNumber++;
    this.#openLog();
  }

  /** Writes all numbers to a base and drops the logs before it. */
  compact(): void {
    this.roll();
    const base = this.#logNumber;
    const file = this.#createFresh(`base-${base}`);
    for (let i = 0; i < this.numbers.length; i += 100) {
      file.appendSync([encodeRecord(base, this.numbers.slice(i, i + 100))]);
    }
    if (!this.#bugs.has('no sync of the base before CURRENT names it')) file.syncSync('full');
    file.closeSync();
    this.#syncDirectory();
    const dropEarly = this.#bugs.has('old logs unlinked before CURRENT names the base');
    const old = { base: this.#base, logs: this.#logNumbers().filter((n) => n < base) };
    this.#setCurrent(base, () => {
      if (dropEarly) this.#drop(old);
    });
    if (!dropEarly) this.#drop(old);
  }

  close(): void {
    this.#log.closeSync();
  }

  #drop(old: { base: number; logs: number[] }): void {
    for (const n of old.logs) {
      if (this.#spare === undefined)
        this.#fs.renameSync(this.#path(`log-${n}`), this.#path((this.#spare = `spare-${n}`)));
      else this.#fs.unlinkSync(this.#path(`log-${n}`));
    }
    if (old.base > 0) this.#fs.unlinkSync(this.#path(`base-${old.base}`));
    this.#syncDirectory();
  }

  #syncLog(): void {
    try {
      this.#log.syncSync('data');
    } catch (error) {
      if (!this.#bugs.has('retry after a failed sync')) throw error;
      this.#log.closeSync();
      this.#log = this.#fs.reopenWritableSync(this.#path(`log-${this.#logNumber}`));
      this.#log.syncSync('data');
    }
  }

  #create(): void {
    this.#openLog();
    this.#setCurrent(0, () => {});
  }

  #openLog(): void {
    const path = this.#path(`log-${this.#logNumber}`);
    if (this.#spare !== undefined) {
      this.#log = this.#fs.reuseWritableSync(this.#path(this.#spare), path);
      this.#spare = undefined;
    } else {
      this.#log = this.#createFresh(`log-${this.#logNumber}`);
    }
    if (!this.#bugs.has('no directory sync after rolling the log')) this.#syncDirectory();
  }

  #setCurrent(base: number, beforeSwitch: () => void): void {
    const path = this.#path('CURRENT');
    const inPlace = this.#bugs.has('CURRENT written in place');
    if (inPlace && this.#fs.existsSync(path)) this.#fs.unlinkSync(path);
    const file = this.#createFresh(inPlace ? 'CURRENT' : 'temporary');
    file.appendSync([encodeRecord(0, [base])]);
    if (!this.#bugs.has('no sync of CURRENT before its rename')) file.syncSync('full');
    file.closeSync();
    beforeSwitch();
    if (!inPlace) this.#fs.renameSync(this.#path('temporary'), path);
    // At creation and at compaction alike, what follows relies on CURRENT.
    if (!this.#bugs.has('no directory sync after the rename of CURRENT')) this.#syncDirectory();
    this.#base = base;
  }

  #recover(): void {
    this.#base = this.#records('CURRENT', 0, false).flat()[0] ?? fail('CURRENT is damaged');
    if (this.#base > 0) this.numbers.push(...this.#records(`base-${this.#base}`, this.#base, false).flat());
    const logs = this.#logNumbers();
    if (logs[0] !== undefined && logs[0] < this.#base)
      for (const n of logs) if (n < this.#base) this.#unlink(`log-${n}`);
    for (const name of this.#fs.listSync(this.#directory)) if (/^(spare-|temporary)/.test(name)) this.#unlink(name);
    const live = logs.filter((n) => n >= this.#base);
    for (const n of live) this.numbers.push(...this.#records(`log-${n}`, n, true).flat());
    this.#logNumber = live.at(-1) ?? fail('no log');
    this.#log = this.#reopenLog();
  }

  #reopenLog(): WritableFile {
    const path = this.#path(`log-${this.#logNumber}`);
    if (this.#bugs.has('torn tail not cut before appending')) return this.#fs.reopenWritableSync(path);
    const { end } = this.#parse(readAll(this.#fs, path), this.#logNumber);
    const log = this.#fs.reopenWritableSync(path, { truncateTo: end });
    log.syncSync('full');
    return log;
  }

  #records(name: string, number: number, mayEndTorn: boolean): number[][] {
    const bytes = readAll(this.#fs, this.#path(name));
    const { records, end } = this.#parse(bytes, number);
    if (end < bytes.length && !mayEndTorn) fail(`${name} is damaged`);
    return records;
  }

  #parse(bytes: Uint8Array, number: number): { records: number[][]; end: number } {
    const records: number[][] = [];
    let at = 0;
    while (at + HEADER_BYTES <= bytes.length) {
      const length = bytes[at]!;
      const record = bytes.slice(at, at + HEADER_BYTES + length);
      if (length === 0 || record.length < HEADER_BYTES + length || !this.#isSound(record, number)) break;
      const payload = record.subarray(HEADER_BYTES);
      records.push(Array.from({ length: length / 2 }, (_, i) => payload[2 * i]! | (payload[2 * i + 1]! << 8)));
      at += record.length;
    }
    return { records, end: at };
  }

  #isSound(record: Uint8Array, number: number): boolean {
    if (this.#bugs.has('records not checked at recovery')) return true;
    const isNumberChecked = !this.#bugs.has('recycled log without its number in the records');
    if (isNumberChecked && record[2] !== (number & 0xff)) return false;
    const stored = record[1]!;
    const copy = record.slice();
    copy[1] = 0;
    return checksum(copy) === stored;
  }

  #logNumbers(): number[] {
    const names = this.#fs.listSync(this.#directory).filter((name) => name.startsWith('log-'));
    return names.map((name) => Number(name.slice(4))).sort((a, b) => a - b);
  }

  #createFresh(name: string): WritableFile {
    if (this.#fs.existsSync(this.#path(name))) this.#unlink(name);
    return this.#fs.createWritableSync(this.#path(name));
  }

  #unlink(name: string): void {
    this.#fs.unlinkSync(this.#path(name));
  }

  #syncDirectory(): void {
    const directory = this.#fs.openDirectorySync(this.#directory);
    directory.syncSync('renamed');
    directory.closeSync();
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

function fail(message: string): never {
  throw new Error(message);
}
