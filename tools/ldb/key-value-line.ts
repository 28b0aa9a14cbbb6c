/** Lines of a dump: `key ==> value`. */
import type { CommandContext } from './command-context.ts';

/** What stands between key and value. */
export const DUMP_DELIMITER = ' ==> ';

/** What the lines of a dump begin with that are no rows: its total, and a message of RocksDB's tool. */
const OTHER_LINES = ['Keys in range:', 'Created bg thread 0x'];

/** Whether a line without the delimiter is part of every dump, and nothing to warn of. */
export function isOtherDumpLine(line: string): boolean {
  return OTHER_LINES.some((beginning) => line.startsWith(beginning));
}

/** Key and value of a line, `undefined` when the delimiter is missing. A `ToolFailure` for hex that is none. */
export function parseKeyValueLine(
  context: CommandContext,
  line: string,
): { key: Uint8Array; value: Uint8Array } | undefined {
  const at = line.indexOf(DUMP_DELIMITER);
  if (at < 0) return undefined;
  return { key: context.key(line.slice(0, at)), value: context.value(line.slice(at + DUMP_DELIMITER.length)) };
}
