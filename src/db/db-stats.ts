/** The database's part of `rocksdb.stats`: writes, logs and stalls since the open. */
import type { Engine } from './engine.ts';
import { humanMicros, humanNumber, megabytesPerSecond, ratio } from './human-numbers.ts';

const GB = 1024 ** 3;

/** `rocksdb.dbstats`. */
export function dbStatsText({ context }: Engine): string {
  const { calls, groups, keys, bytes, walRecords, walBytes, walSyncs, stallMicros } = context.writeTotals;
  const micros = context.clock.monotonicMicros() - context.openedAtMicros;
  const uptime = (micros / 1e6).toFixed(1);
  const lines = [
    '',
    '** DB Stats **',
    `Uptime(secs): ${uptime} total, ${uptime} interval`,
    `Cumulative writes: ${humanNumber(calls)} writes, ${humanNumber(keys)} keys, ${humanNumber(groups)} commit groups, ` +
      `${ratio(calls, groups).toFixed(1)} writes per commit group, ingest: ${(bytes / GB).toFixed(2)} GB, ` +
      `${megabytesPerSecond(bytes, micros).toFixed(2)} MB/s`,
    `Cumulative WAL: ${humanNumber(walRecords)} writes, ${humanNumber(walSyncs)} syncs, ` +
      `${ratio(walRecords, walSyncs).toFixed(2)} writes per sync, written: ${(walBytes / GB).toFixed(2)} GB, ` +
      `${megabytesPerSecond(walBytes, micros).toFixed(2)} MB/s`,
    `Cumulative stall: ${humanMicros(stallMicros)} H:M:S, ${(100 * ratio(stallMicros, micros)).toFixed(1)} percent`,
  ];
  return `${lines.join('\n')}\n`;
}

/** `rocksdb.dbstats` as a map. */
export function dbStatsMap({ context }: Engine): Record<string, string> {
  const micros = context.clock.monotonicMicros() - context.openedAtMicros;
  const figures = { ...context.writeTotals, uptimeMicros: Math.round(micros) };
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`db.${name}`, String(value)]));
}
