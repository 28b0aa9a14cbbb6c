/** A family's part of `rocksdb.stats`: the table of compaction work by level, and what stands below it. */
import { levelScores, levelTargets } from '../../compaction/level-score.ts';
import { RunningCompactions } from '../../compaction/running-compactions.ts';
import { addWork, type FamilyWork, type LevelWork, noWork } from '../monitoring/family-work.ts';
import { pickerOptions } from '../options/picker-options.ts';
import type { ColumnFamilyState } from '../version/column-family.ts';
import type { Engine } from './engine.ts';
import { humanBytes, humanNumber, megabytesPerSecond, ratio } from './human-numbers.ts';

const GB = 1024 ** 3;

/** RocksDB's columns, in order. The work of threads is not measured in CPU time, and there are no blobs: these stay 0. */
const HEAD =
  'Level    Files   Size     Score Read(GB)  Rn(GB) Rnp1(GB) Write(GB) Wnew(GB) Moved(GB) W-Amp Rd(MB/s) Wr(MB/s) ' +
  'Comp(sec) CompMergeCPU(sec) Comp(cnt) Avg(sec) KeyIn KeyDrop Rblob(GB) Wblob(GB)';

interface Row {
  name: string;
  files: number;
  busyFiles: number;
  bytes: number;
  score: number;
  work: LevelWork;
  /** Bytes that were put into the level for the first time: what its write amplification is measured by. */
  ingested: number;
}

/** The levels of a report, and their sum. */
function levelRows(engine: Engine, family: ColumnFamilyState): { rows: Row[]; sum: Row } {
  const done = engine.context.totals.family(family.name);
  const busy = engine.background.busyFiles();
  const scores = scoresOf(engine, family);
  const sum: Row = { name: 'Sum', files: 0, busyFiles: 0, bytes: 0, score: 0, work: noWork(), ingested: 0 };
  sum.ingested = done.flushedBytes;
  const rows: Row[] = [];
  for (let level = 0; level < family.version.levelCount; level++) {
    const files = family.version.levels[level]!;
    const work = done.levels.get(level) ?? noWork();
    if (files.length === 0 && work.micros === 0 && work.moved === 0) continue;
    const busyFiles = files.filter(({ number }) => busy.has(number)).length;
    const bytes = family.version.levelBytes(level);
    const ingested = level === 0 ? done.flushedBytes : work.readAbove;
    const score = scores.get(level) ?? 0;
    rows.push({ name: `L${level}`, files: files.length, busyFiles, bytes, score, work, ingested });
    sum.files += files.length;
    sum.busyFiles += busyFiles;
    sum.bytes += bytes;
    addWork(sum.work, work);
  }
  return { rows, sum };
}

function scoresOf(engine: Engine, family: ColumnFamilyState): Map<number, number> {
  const options = pickerOptions(family.options);
  if (options.compactionStyle !== 'level') return new Map();
  const running = new RunningCompactions(family.comparator, engine.background.compactionsOf(family));
  const targets = levelTargets(family.version, options);
  return new Map(levelScores(family.version, options, running, targets).map(({ level, score }) => [level, score]));
}

function printRow({ name, files, busyFiles, bytes, score, work, ingested }: Row): string {
  const seconds = work.micros / 1e6;
  const cells: [string, number][] = [
    [name, 4],
    [`${String(files).padStart(6)}/${String(busyFiles).padEnd(3)}`, 10],
    [humanBytes(bytes), 8],
    [score.toFixed(1), 5],
    [((work.readAbove + work.readHere) / GB).toFixed(1), 8],
    [(work.readAbove / GB).toFixed(1), 7],
    [(work.readHere / GB).toFixed(1), 8],
    [(work.written / GB).toFixed(1), 9],
    [((work.written - work.readHere) / GB).toFixed(1), 8],
    [(work.moved / GB).toFixed(1), 9],
    [ratio(work.written, ingested).toFixed(1), 5],
    [megabytesPerSecond(work.readAbove + work.readHere, work.micros).toFixed(1), 8],
    [megabytesPerSecond(work.written, work.micros).toFixed(1), 8],
    [seconds.toFixed(2), 9],
    ['0.00', 17],
    [String(work.jobs), 9],
    [ratio(seconds, work.jobs).toFixed(3), 8],
    [humanNumber(work.keysIn), 7],
    [humanNumber(work.keysDropped), 6],
    ['0.0', 9],
    ['0.0', 9],
  ];
  return cells.map(([text, width]) => text.padStart(width)).join(' ');
}

/** Flushed and compacted bytes, stalls and uptime of a family, as text. */
function footer(engine: Engine, work: FamilyWork, sum: Row): string[] {
  const { context } = engine;
  const micros = context.clock.monotonicMicros() - context.openedAtMicros;
  const uptime = (micros / 1e6).toFixed(1);
  const flushed = (work.flushedBytes / GB).toFixed(3);
  const read = sum.work.readAbove + sum.work.readHere;
  const level0 = work.stallCount('delayed', 'level0_file_limit');
  const level0Stop = work.stallCount('stopped', 'level0_file_limit');
  const pending = 'pending_compaction_bytes_limit';
  return [
    '',
    'Blob file count: 0, total size: 0.0 GB, garbage size: 0.0 GB, space amp: 0.0',
    '',
    `Uptime(secs): ${uptime} total, ${uptime} interval`,
    `Flush(GB): cumulative ${flushed}, interval ${flushed}`,
    `Cumulative compaction: ${(sum.work.written / GB).toFixed(2)} GB write, ` +
      `${megabytesPerSecond(sum.work.written, micros).toFixed(2)} MB/s write, ${(read / GB).toFixed(2)} GB read, ` +
      `${megabytesPerSecond(read, micros).toFixed(2)} MB/s read, ${(sum.work.micros / 1e6).toFixed(1)} seconds`,
    `Stalls(count): ${level0} level0_slowdown, ${level0Stop} level0_numfiles, ` +
      `${work.stallCount('stopped', pending)} stop for pending_compaction_bytes, ` +
      `${work.stallCount('delayed', pending)} slowdown for pending_compaction_bytes, ` +
      `${work.stallCount('stopped', 'memtable_limit')} memtable_compaction, ` +
      `${work.stallCount('delayed', 'memtable_limit')} memtable_slowdown`,
  ];
}

/** `rocksdb.cfstats`. Figures are since the open; there are no intervals. */
export function familyStatsText(engine: Engine, family: ColumnFamilyState): string {
  const { rows, sum } = levelRows(engine, family);
  const work = engine.context.totals.family(family.name);
  const lines = ['', `** Compaction Stats [${family.name}] **`, HEAD, '-'.repeat(HEAD.length + 1)];
  for (const row of rows) lines.push(printRow(row));
  lines.push(printRow(sum), ...footer(engine, work, sum));
  return `${lines.join('\n')}\n`;
}

/** `rocksdb.cfstats` as a map: RocksDB's `compaction.<level>.<field>` keys, and counts of stalls. */
export function familyStatsMap(engine: Engine, family: ColumnFamilyState): Record<string, string> {
  const { rows, sum } = levelRows(engine, family);
  const result: Record<string, string> = {};
  for (const row of [...rows, sum]) {
    const { work } = row;
    const put = (field: string, value: number): void => {
      result[`compaction.${row.name}.${field}`] = String(value);
    };
    put('NumFiles', row.files);
    put('CompactedFiles', row.busyFiles);
    put('SizeBytes', row.bytes);
    put('Score', row.score);
    put('ReadGB', (work.readAbove + work.readHere) / GB);
    put('RnGB', work.readAbove / GB);
    put('Rnp1GB', work.readHere / GB);
    put('WriteGB', work.written / GB);
    put('WnewGB', (work.written - work.readHere) / GB);
    put('MovedGB', work.moved / GB);
    put('WriteAmp', ratio(work.written, row.ingested));
    put('ReadMBps', megabytesPerSecond(work.readAbove + work.readHere, work.micros));
    put('WriteMBps', megabytesPerSecond(work.written, work.micros));
    put('CompSec', work.micros / 1e6);
    put('CompCount', work.jobs);
    put('AvgSec', ratio(work.micros / 1e6, work.jobs));
    put('KeyIn', work.keysIn);
    put('KeyDrop', work.keysDropped);
  }
  for (const [stall, count] of engine.context.totals.family(family.name).stalls) {
    result[`io_stalls.${stall.replace(' ', '.')}`] = String(count);
  }
  return result;
}
