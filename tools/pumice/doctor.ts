/** `pumice doctor`: prints what `examine` found, on one page. */
import type { Flags } from '../lib/arguments.ts';
import type { Output } from '../lib/output.ts';
import { statusText } from '../lib/status-text.ts';
import type { ToolStreams } from '../lib/tool-process.ts';
import { examine } from './examine.ts';
import type { FamilyHealth, Health, LevelHealth } from './health.ts';

const MIB = 1 << 20;

const megabytes = (bytes: number): string => (bytes / MIB).toFixed(2);
const count = (value: number | undefined): string => (value === undefined ? '?' : String(value));

function printLevels(out: Output, levels: readonly LevelHealth[]): void {
  out.line('  Level  Files    Size(MB)     Entries  Tombstones');
  const last = levels.findLast(({ files }) => files > 0)?.level ?? 0;
  for (const { level, files, sizeBytes, entries, tombstones } of levels.slice(0, last + 1)) {
    const cells = [
      String(level).padStart(5),
      String(files).padStart(5),
      megabytes(sizeBytes).padStart(10),
      count(entries).padStart(10),
      count(tombstones).padStart(10),
    ];
    out.line(`  ${cells.join('  ')}`);
  }
}

function printFamily(out: Output, family: FamilyHealth): void {
  out.line(`\nColumn family [${family.name}]`);
  printLevels(out, family.levels);
  out.line(
    `  Amplification: a read looks into up to ${family.readAmplification} sorted runs; ` +
      `space ${family.spaceAmplification.toFixed(2)}`,
  );
  out.line(`  Stalls: ${family.stall}; ${family.pendingCompactionBytes} bytes to compact`);
}

function printPage(out: Output, health: Health): void {
  out.line(`Health of [${health.path}]`);
  out.line(`Latest sequence ${health.latestSequence}; ${megabytes(health.freeBytes)} MB free on the disk`);
  for (const family of health.families) printFamily(out, family);
  const read = health.tablesRead === 0 ? 'not read' : `${health.tablesRead} read through, ${health.bytesRead} bytes`;
  out.line(`\nTables: ${read}`);
  for (const { severity, text } of health.findings) out.line(`${severity.toUpperCase()}: ${text}`);
  const problems = health.findings.filter(({ severity }) => severity === 'problem').length;
  const warnings = health.findings.length - problems;
  out.line(
    problems === 0 ? `Healthy, ${warnings} warnings` : `Not healthy: ${problems} problems, ${warnings} warnings`,
  );
}

/** Prints the page; returns 1 when the database has a problem or cannot be opened at all, else 0. */
export async function doctor(path: string, flags: Flags, { out }: ToolStreams): Promise<number> {
  let health: Health;
  try {
    health = await examine(path, flags.boolean('quick'));
  } catch (error) {
    const text = `cannot be opened: ${statusText(error)}`;
    if (flags.boolean('json'))
      out.line(JSON.stringify({ path, findings: [{ severity: 'problem', text }] }, undefined, 2));
    else out.line(`Health of [${path}]\nPROBLEM: ${text}\nNot healthy: 1 problems, 0 warnings`);
    return 1;
  }
  if (flags.boolean('json')) out.line(JSON.stringify(health, undefined, 2));
  else printPage(out, health);
  return health.findings.some(({ severity }) => severity === 'problem') ? 1 : 0;
}
