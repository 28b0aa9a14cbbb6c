/**
 * Writes LOG files in RocksDB's form: `2026/11/22-01:35:18.123456 1 text`, with `[WARN]` or `[ERROR]` before the text
 * of those levels. A LOG that stands there at open, and one that grew too large or too old, is renamed to
 * `LOG.old.<micros>`; the oldest of those are removed.
 *
 * Lines gather for a moment and are written by one task at a time. A LOG that cannot be written is no reason to stop a
 * database: its lines are dropped, and counted.
 */
import { threadId } from 'node:worker_threads';
import { type Io, runAsync, runSync } from '../../format/base/io.ts';
import type { Clock, Timer } from './clock.ts';
import { createFresh, fileExists, listDirectory, renameFile, unlinkIfPresent } from './file-operations.ts';
import type { FileSystem, WritableFile } from './file-system.ts';
import { type ClosableLogger, LOG_LEVELS, type LogLevel } from './logger.ts';

/** Settings of a `FileLogger`. */
export interface FileLoggerOptions {
  /** Lines below it are dropped. */
  readonly level: LogLevel;
  /** Bytes after which LOG is rolled; 0: never. */
  readonly maxLogFileSize: number;
  /** Seconds after which LOG is rolled; 0: never. */
  readonly logFileTimeToRoll: number;
  /** LOG files to keep, the current one included. */
  readonly keepLogFileNum: number;
}

const LOG_NAME = 'LOG';
const OLD_LOG_PREFIX = 'LOG.old.';
/** Lines wait this long for company; errors do not wait. */
const GATHER_MS = 250;
const GATHER_BYTES = 4096;

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

/** `2026/11/22-01:35:18.123456`, in the local time zone as RocksDB prints it. */
export function formatLogTime(micros: number): string {
  const date = new Date(Math.floor(micros / 1000));
  const day = `${date.getFullYear()}/${twoDigits(date.getMonth() + 1)}/${twoDigits(date.getDate())}`;
  const time = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}:${twoDigits(date.getSeconds())}`;
  return `${day}-${time}.${String(micros % 1_000_000).padStart(6, '0')}`;
}

/** Opens `directory`'s LOG, moving an older one aside. Fails where the directory cannot be written. */
export function* openFileLogger(
  fs: FileSystem,
  clock: Clock,
  directory: string,
  options: FileLoggerOptions,
): Io<ClosableLogger> {
  const file = yield* startLog(fs, clock, directory, options.keepLogFileNum);
  return new FileLogger(fs, clock, directory, options, file);
}

/** Moves LOG aside, removes the oldest of those moved, creates LOG. */
function* startLog(fs: FileSystem, clock: Clock, directory: string, keep: number): Io<WritableFile> {
  const path = `${directory}/${LOG_NAME}`;
  if (yield* fileExists(fs, path)) {
    let micros = clock.nowMicros();
    while (yield* fileExists(fs, `${directory}/${OLD_LOG_PREFIX}${micros}`)) micros++;
    yield* renameFile(fs, path, `${directory}/${OLD_LOG_PREFIX}${micros}`);
  }
  const old = (yield* listDirectory(fs, directory)).filter((name) => /^LOG\.old\.\d{1,16}$/.test(name));
  old.sort((a, b) => Number(a.slice(OLD_LOG_PREFIX.length)) - Number(b.slice(OLD_LOG_PREFIX.length)));
  for (const name of old.slice(0, Math.max(0, old.length - Math.max(0, keep - 1)))) {
    yield* unlinkIfPresent(fs, `${directory}/${name}`);
  }
  return yield* createFresh(fs, path);
}

class FileLogger implements ClosableLogger {
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #options: FileLoggerOptions;
  readonly #levelIndex: number;
  #file: WritableFile;
  #startedMicros: number;
  /** Lines given to the file and those that wait for it. */
  #bytes = 0;
  #lines: string[] = [];
  #lineBytes = 0;
  #headers: string[] = [];
  #droppedLines = 0;
  #timer: Timer | undefined;
  #task: Promise<void> | undefined;
  #closed = false;

  constructor(fs: FileSystem, clock: Clock, directory: string, options: FileLoggerOptions, file: WritableFile) {
    this.#fs = fs;
    this.#clock = clock;
    this.#directory = directory;
    this.#options = options;
    this.#levelIndex = LOG_LEVELS.indexOf(options.level);
    this.#file = file;
    this.#startedMicros = clock.nowMicros();
  }

  debug(text: string): void {
    this.#log(0, '[DEBUG] ', text);
  }

  info(text: string): void {
    this.#log(1, '', text);
  }

  warn(text: string): void {
    this.#log(2, '[WARN] ', text);
  }

  error(text: string): void {
    this.#log(3, '[ERROR] ', text);
    this.#write();
  }

  header(text: string): void {
    this.#headers.push(text);
    this.#push(text);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    await this.#task;
    await runAsync(this.#drain());
    this.#drainAndClose();
  }

  /** When a write is under way, it ends, takes the rest along and closes the file a moment later. */
  closeSync(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    if (this.#task !== undefined) {
      void this.#task.then(() => this.#drainAndClose());
      return;
    }
    this.#drainAndClose();
  }

  #drainAndClose(): void {
    runSync(this.#drain());
    try {
      this.#file.closeSync();
    } catch {
      // The descriptor is gone, and a LOG that cannot be closed well must not fail the database's close.
    }
  }

  #log(level: number, prefix: string, text: string): void {
    if (level >= this.#levelIndex) this.#push(prefix + text);
  }

  #push(text: string): void {
    if (this.#closed) return;
    // A line is a line, whatever an error's message holds.
    const line = `${formatLogTime(this.#clock.nowMicros())} ${threadId} ${text.replaceAll('\n', '\n  ')}\n`;
    this.#lines.push(line);
    this.#lineBytes += line.length;
    if (this.#lineBytes >= GATHER_BYTES) this.#write();
    else this.#timer ??= this.#clock.setTimer(GATHER_MS, () => this.#write());
  }

  /** Starts the writing task unless it runs; a task that runs takes new lines along. */
  #write(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#task !== undefined || this.#closed) return;
    this.#task = runAsync(this.#drain()).finally(() => {
      this.#task = undefined;
      // A line that came after the task looked for the last time.
      if (this.#lines.length > 0) this.#write();
    });
  }

  /** Never throws: what cannot be written is dropped. */
  *#drain(): Io<void> {
    while (this.#lines.length > 0) {
      const lines = this.#lines;
      this.#lines = [];
      this.#lineBytes = 0;
      try {
        if (this.#isDue()) yield* this.#roll();
        const file = this.#file;
        const bytes = new TextEncoder().encode(this.#lossNotice() + lines.join(''));
        yield { sync: () => file.appendSync([bytes]), async: () => file.append([bytes]) };
        this.#bytes += bytes.length;
        this.#droppedLines = 0;
      } catch {
        this.#droppedLines += lines.length;
        // The file is poisoned; a new one may have better luck.
        this.#bytes = Number.POSITIVE_INFINITY;
      }
    }
  }

  #lossNotice(): string {
    if (this.#droppedLines === 0) return '';
    return `${formatLogTime(this.#clock.nowMicros())} ${threadId} [WARN] ${this.#droppedLines} lines were lost\n`;
  }

  #isDue(): boolean {
    const { maxLogFileSize, logFileTimeToRoll } = this.#options;
    if (this.#file.poisoned || this.#bytes === Number.POSITIVE_INFINITY) return true;
    if (this.#bytes === 0) return false;
    if (maxLogFileSize > 0 && this.#bytes >= maxLogFileSize) return true;
    return logFileTimeToRoll > 0 && this.#clock.nowMicros() - this.#startedMicros >= logFileTimeToRoll * 1_000_000;
  }

  *#roll(): Io<void> {
    const previous = this.#file;
    this.#file = yield* startLog(this.#fs, this.#clock, this.#directory, this.#options.keepLogFileNum);
    this.#bytes = 0;
    this.#startedMicros = this.#clock.nowMicros();
    const stamp = `${formatLogTime(this.#startedMicros)} ${threadId} `;
    const headers = new TextEncoder().encode(this.#headers.map((text) => `${stamp}${text}\n`).join(''));
    yield { sync: () => previous.closeSync(), async: () => previous.close() };
    const file = this.#file;
    yield { sync: () => file.appendSync([headers]), async: () => file.append([headers]) };
  }
}
