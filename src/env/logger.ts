/**
 * The log for people. Lines say what the engine did and why; they never hold bytes of the user's keys or values.
 * The writer of LOG files is `file-logger.ts`.
 */

/** Where the engine's messages go. The shape is what `console` and pino have, so those can be passed as they are. */
export interface Logger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** A logger that the engine opened and has to close. */
export interface ClosableLogger extends Logger {
  /** Repeated at the head of every new file after a roll (version, options). */
  header(text: string): void;
  close(): Promise<void>;
  closeSync(): void;
}

/** Levels from chatty to silent. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The levels in order; a logger drops what stands before its own level. */
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Drops everything. */
export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Prefixes each line with `[scope] `, where RocksDB has the place in its source. */
export function scopedLogger(logger: Logger, scope: string): Logger {
  return {
    debug: (text) => logger.debug(`[${scope}] ${text}`),
    info: (text) => logger.info(`[${scope}] ${text}`),
    warn: (text) => logger.warn(`[${scope}] ${text}`),
    error: (text) => logger.error(`[${scope}] ${text}`),
  };
}
