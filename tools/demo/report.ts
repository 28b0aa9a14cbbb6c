/** What the demonstration prints: progress, sizes, rates and the shape of the tree. */

import type { LiveFileMetaData } from '../../src/index.ts';

/** Bytes in a unit that reads well. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A rate in MiB and entries a second. */
export function formatRate(bytes: number, entries: number, elapsedMs: number): string {
  const seconds = Math.max(elapsedMs, 1) / 1000;
  return `${(bytes / seconds / (1 << 20)).toFixed(1)} MiB/s, ${Math.round(entries / seconds)} entries/s`;
}

/** One line a level: files and bytes. */
export function formatLevels(files: readonly LiveFileMetaData[]): string[] {
  const levels = new Map<number, { count: number; bytes: number }>();
  for (const file of files) {
    const level = levels.get(file.level) ?? { count: 0, bytes: 0 };
    level.count++;
    level.bytes += file.size;
    levels.set(file.level, level);
  }
  const lines = [...levels].sort(([a], [b]) => a - b);
  return lines.map(([level, { count, bytes }]) => `  L${level}: ${count} files, ${formatBytes(bytes)}`);
}

/** Shows how far a step has come: in place on a terminal, else a line at each quarter. */
export class Progress {
  private readonly label: string;
  private readonly total: number;
  private quarter = 0;

  constructor(label: string, total: number) {
    this.label = label;
    this.total = Math.max(total, 1);
  }

  update(done: number): void {
    if (process.stdout.isTTY) {
      process.stdout.write(`\r  ${this.label}: ${done} of ${this.total}${done >= this.total ? '\n' : ''}`);
      return;
    }
    const quarter = Math.floor((4 * done) / this.total);
    if (quarter > this.quarter) {
      this.quarter = quarter;
      process.stdout.write(`  ${this.label}: ${done} of ${this.total}\n`);
    }
  }
}
