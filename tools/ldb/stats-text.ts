/** `--stats`: the engine's report about a family. */
import type { ColumnFamily } from '../../src/index.ts';
import type { CommandContext } from './command-context.ts';

/** Prints the property `rocksdb.stats`. */
export function printStats({ json, out }: CommandContext, family: ColumnFamily): void {
  const stats = family.getProperty('rocksdb.stats') ?? '';
  out.line(json ? JSON.stringify({ stats }) : stats);
}
