/** Examines a database: what its levels hold, what it costs to read and to keep, what is wrong with it. */
import { resolve } from 'node:path';
import { parseFileName } from '../../format/manifest/file-name.ts';
import type { DB, LiveFileMetaData } from '../../src/index.ts';
import type { FamilyHealth, Finding, Health, LevelHealth } from './health.ts';
import { familyNames, openToLook } from './read-database.ts';
import { readStallTriggers, type StallTriggers } from './stall-triggers.ts';
import { checkTable, type TableCheck } from './table-check.ts';

/** Parts of a family's entries that are tombstones, above which reads suffer. */
const TOMBSTONE_SHARE = 0.5;
/** Space amplification above which a compaction would give back much. */
const SPACE_AMPLIFICATION = 2;
/** Families below this size are too small for their amplification to matter. */
const SIZE_MIN = 16 << 20;

/** Examines the database in `path`; `quick` leaves the tables' blocks unread. Errors are those of `DB.open`. */
export async function examine(path: string, quick: boolean): Promise<Health> {
  const names = await familyNames(path);
  await using db = await openToLook(path);
  const { fileSystem } = db.env;
  const findings: Finding[] = db.recovery.drops.map(({ file, offset, bytes, reason }) => ({
    severity: 'problem',
    text: `${file} at ${offset}: ${bytes} bytes of the log cannot be replayed: ${reason}`,
  }));
  const files = db.getLiveFilesMetaData();
  const checks = new Map<LiveFileMetaData, TableCheck>();
  if (!quick) for (const file of files) checks.set(file, await checkTable(fileSystem, db.path, file));
  for (const { error } of checks.values()) if (error !== undefined) findings.push({ severity: 'problem', text: error });
  const triggersOf = await readStallTriggers(fileSystem, db.path);
  const families = names.map((name) => {
    const health = familyHealth(
      db,
      name,
      files.filter(({ columnFamily }) => columnFamily === name),
      checks,
      triggersOf(name),
    );
    findings.push(...familyFindings(health, triggersOf(name)));
    return health;
  });
  findings.push(...(await strayFindings(db, files)));
  return {
    path: resolve(path),
    latestSequence: db.latestSequence,
    families,
    tablesRead: checks.size,
    bytesRead: [...checks.keys()].reduce((sum, { size }) => sum + size, 0),
    freeBytes: Number(await fileSystem.freeSpace(db.path)),
    findings,
  };
}

function familyHealth(
  db: DB,
  name: string,
  files: readonly LiveFileMetaData[],
  checks: ReadonlyMap<LiveFileMetaData, TableCheck>,
  triggers: StallTriggers,
): FamilyHealth {
  const family = db.columnFamily(name);
  const levels: LevelHealth[] = [];
  for (let level = 0; family.getProperty(`rocksdb.num-files-at-level${level}`) !== undefined; level++) {
    const here = files.filter((file) => file.level === level);
    const read = here.map((file) => checks.get(file)).filter((check) => check !== undefined);
    const whole = read.length === here.length;
    levels.push({
      level,
      files: here.length,
      sizeBytes: here.reduce((sum, { size }) => sum + size, 0),
      entries: whole ? read.reduce((sum, { entries }) => sum + entries, 0) : undefined,
      tombstones: whole ? read.reduce((sum, { tombstones }) => sum + tombstones, 0) : undefined,
    });
  }
  const sizeBytes = levels.reduce((sum, level) => sum + level.sizeBytes, 0);
  const pendingCompactionBytes = Number(family.getProperty('rocksdb.estimate-pending-compaction-bytes') ?? 0);
  return {
    name,
    levels,
    sizeBytes,
    readAmplification: (levels[0]?.files ?? 0) + levels.slice(1).filter((level) => level.files > 0).length,
    spaceAmplification: spaceAmplification(levels, files, sizeBytes),
    pendingCompactionBytes,
    stall: stallOf(levels[0]?.files ?? 0, pendingCompactionBytes, triggers),
  };
}

function spaceAmplification(
  levels: readonly LevelHealth[],
  files: readonly LiveFileMetaData[],
  sizeBytes: number,
): number {
  const last = levels.findLast((level) => level.files > 0);
  if (last === undefined) return 1;
  const runBytes = last.level > 0 ? last.sizeBytes : Math.max(...files.map(({ size }) => size));
  return sizeBytes / runBytes;
}

function stallOf(level0Files: number, pendingBytes: number, triggers: StallTriggers): FamilyHealth['stall'] {
  const over = (limit: number): boolean => limit > 0 && pendingBytes >= limit;
  if (level0Files >= triggers.level0StopWritesTrigger || over(triggers.hardPendingCompactionBytesLimit)) return 'stop';
  const slow = level0Files >= triggers.level0SlowdownWritesTrigger || over(triggers.softPendingCompactionBytesLimit);
  return slow ? 'slowdown' : 'none';
}

function familyFindings(family: FamilyHealth, triggers: StallTriggers): Finding[] {
  const findings: Finding[] = [];
  const { name, stall, levels, pendingCompactionBytes } = family;
  if (stall !== 'none') {
    const limit = stall === 'stop' ? triggers.level0StopWritesTrigger : triggers.level0SlowdownWritesTrigger;
    findings.push({
      severity: stall === 'stop' ? 'problem' : 'warning',
      text:
        `[${name}] writes would ${stall === 'stop' ? 'stop' : 'be slowed down'}: ${levels[0]?.files ?? 0} files in level 0 ` +
        `(limit ${limit}), ${pendingCompactionBytes} bytes to compact`,
    });
  }
  const entries = levels.reduce((sum, level) => sum + (level.entries ?? 0), 0);
  const tombstones = levels.reduce((sum, level) => sum + (level.tombstones ?? 0), 0);
  if (entries > 0 && tombstones / entries > TOMBSTONE_SHARE) {
    findings.push({
      severity: 'warning',
      text: `[${name}] ${tombstones} of ${entries} entries are tombstones: compactRange() would drop them and what they hide`,
    });
  }
  if (family.sizeBytes >= SIZE_MIN && family.spaceAmplification > SPACE_AMPLIFICATION) {
    findings.push({
      severity: 'warning',
      text: `[${name}] takes ${family.spaceAmplification.toFixed(1)} times the space of its last sorted run`,
    });
  }
  return findings;
}

/** Tables that no version names: a crash may leave some, and the next open to write removes them. */
async function strayFindings(db: DB, files: readonly LiveFileMetaData[]): Promise<Finding[]> {
  const live = new Set(files.map(({ fileNumber }) => fileNumber));
  const stray = (await db.env.fileSystem.list(db.path)).filter((name) => {
    const parsed = parseFileName(name);
    return parsed?.kind === 'table' && !live.has(parsed.number);
  });
  if (stray.length === 0) return [];
  const text = `${stray.length} tables belong to no version (${stray.slice(0, 3).join(', ')}${stray.length > 3 ? ', ...' : ''}); the next open removes them, unless a writer is making them now`;
  return [{ severity: 'warning', text }];
}
