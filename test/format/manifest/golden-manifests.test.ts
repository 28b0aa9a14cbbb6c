/**
 * The MANIFESTs of all golden databases: what they say agrees with what the databases are known to hold, and the edits of
 * RocksDB 7.8.3 come back from our encoder byte for byte. What we write, C++ `ldb manifest_dump` reads.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../format/base/bytes.ts';
import { builtinComparators } from '../../../format/base/comparator.ts';
import { runSync } from '../../../format/base/io.ts';
import { LogWriter } from '../../../format/log/log-writer.ts';
import { decodeCurrent } from '../../../format/manifest/current-file.ts';
import { levelDbTableFileName, parseFileName, tableFileName } from '../../../format/manifest/file-name.ts';
import { readManifest } from '../../../format/manifest/manifest-reader.ts';
import { manifestSnapshot } from '../../../format/manifest/manifest-snapshot.ts';
import { type ManifestState, versionOf } from '../../../format/manifest/manifest-state.ts';
import { encodeVersionEdit } from '../../../format/manifest/version-edit.ts';
import { decodeVersionEdit } from '../../../format/manifest/version-edit-decoder.ts';
import { bytesFile, GrowingFile } from '../base/byte-files.ts';
import { eventsOf, readLog, recordsOf } from '../log/log-steps.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

interface Golden {
  readonly name: string;
  readonly db: string;
  readonly manifest: string;
  readonly fixture: {
    writer: string;
    lastSequence?: number;
    columnFamilies?: { name: string; id: number; comparator: string }[];
  };
}

const golden: Golden[] = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => {
    const db = join(fixtures, name, 'db');
    const path = join(db, 'CURRENT');
    const manifest = join(db, decodeCurrent(readFileSync(path), path).name);
    return { name, db, manifest, fixture: JSON.parse(readFileSync(join(fixtures, name, 'fixture.json'), 'utf8')) };
  });

function stateOf({ manifest }: Golden): ManifestState {
  const contents = runSync(readManifest(bytesFile(readFileSync(manifest), manifest)));
  expect(contents.tornTail).toBeUndefined();
  expect(contents.validBytes).toBe(statSync(manifest).size);
  return contents.state;
}

function comparatorOf(name: string | undefined) {
  return builtinComparators.get(name ?? 'leveldb.BytewiseComparator')!;
}

test('there are over a hundred golden databases', () => {
  expect(golden.length).toBeGreaterThan(100);
});

describe.each(golden)('$name', (database) => {
  test('families, comparators, tables and counters are as known', () => {
    const state = stateOf(database);
    const { fixture } = database;
    for (const { id, name, comparator } of fixture.columnFamilies ?? []) {
      expect(state.families.get(id)?.name).toBe(name);
      expect(comparatorOf(state.families.get(id)?.comparatorName).name).toBe(comparator);
    }
    if (fixture.columnFamilies !== undefined) expect(state.families.size).toBe(fixture.columnFamilies.length);
    if (fixture.lastSequence !== undefined) expect(state.lastSequence!).toBeLessThanOrEqual(fixture.lastSequence);
    const files = readdirSync(database.db);
    const live = new Set<string>();
    for (const family of state.families.values()) {
      const version = versionOf(family, comparatorOf(family.comparatorName), 7);
      for (const file of version.levels.flat()) {
        const name = [tableFileName(file.number), levelDbTableFileName(file.number)].find((each) =>
          files.includes(each),
        );
        expect(name, `table ${file.number}`).toBeDefined();
        expect(statSync(join(database.db, name!)).size).toBe(file.sizeBytes);
        live.add(name!);
        expect(file.number).toBeLessThan(state.nextFileNumber!);
      }
    }
    // LevelDB was stopped before it deleted the inputs of a compaction.
    const orphans = files.filter((file) => parseFileName(file)?.kind === 'table' && !live.has(file));
    expect(orphans).toEqual(database.name === 'leveldb' ? ['000019.ldb'] : []);
  });

  test('edits come back from the encoder', () => {
    const found = readLog(readFileSync(database.manifest));
    expect(eventsOf(found)).toEqual([]);
    const exact = database.fixture.writer.includes('7.8.3');
    for (const record of recordsOf(found)) {
      const edit = decodeVersionEdit(record);
      if (edit.blobAdditions.length + edit.blobGarbage.length > 0 || edit.skippedTags.length > 0) continue;
      const again = encodeVersionEdit(edit);
      if (exact) expect(toHex(again)).toBe(toHex(record));
      else expect(decodeVersionEdit(again)).toEqual(edit);
    }
  });

  test('a snapshot of the state is the same state', () => {
    const state = stateOf(database);
    const again = runSync(readManifest(bytesFile(snapshotOf(state)))).state;
    expect(again.lastSequence).toBe(state.lastSequence);
    expect([...again.families.keys()]).toEqual([...state.families.keys()]);
    for (const [id, family] of state.families) {
      const comparator = comparatorOf(family.comparatorName);
      const copy = again.families.get(id)!;
      expect(copy.logNumber).toBe(family.logNumber);
      expect(versionOf(copy, comparator, 7).levels).toEqual(versionOf(family, comparator, 7).levels);
    }
  });
});

/** A whole new MANIFEST for the state. */
function snapshotOf(state: ManifestState): Uint8Array {
  const file = new GrowingFile();
  const writer = new LogWriter(file);
  const edits = manifestSnapshot({
    dbId: state.dbId,
    wals: state.wals,
    families: [...state.families.values()].map((family) => ({
      id: family.id,
      name: family.name,
      comparatorName: family.comparatorName ?? 'leveldb.BytewiseComparator',
      logNumber: family.logNumber,
      version: versionOf(family, comparatorOf(family.comparatorName), 7),
      compactCursors: family.compactCursors.values(),
    })),
    minLogNumberToKeep: state.minLogNumberToKeep,
    lastSequence: state.lastSequence!,
  });
  edits.at(-1)!.nextFileNumber = state.nextFileNumber!;
  edits.at(-1)!.prevLogNumber = 0;
  edits[0]!.maxColumnFamily = state.maxColumnFamily;
  for (const edit of edits) writer.add(encodeVersionEdit(edit));
  writer.flushSync();
  writer.close();
  return file.bytes;
}

test('the blob files of a database are known', () => {
  const state = stateOf(golden.find(({ name }) => name === 'opt-blob-files')!);
  expect(state.families.get(0)!.blobFiles.size).toBeGreaterThan(0);
});

test('tracked logs are known', () => {
  const state = stateOf(golden.find(({ name }) => name === 'wal-tracked')!);
  expect(state.wals.size).toBeGreaterThan(0);
});

function hasLdb(): boolean {
  try {
    execFileSync('ldb', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return true;
    if (process.env.CI !== undefined) throw error;
    console.warn('skipped: no ldb of C++ RocksDB on this machine');
    return false;
  }
}

test.runIf(hasLdb())('S123 C++ RocksDB dumps our MANIFESTs with the same tables as its own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'pumice-manifest-'));
  try {
    for (const name of [
      'tiny',
      'level-compacted',
      'column-families',
      'range-del-compacted',
      'file-checksum',
      'atomic-flush',
    ]) {
      const database = golden.find((each) => each.name === name)!;
      const ours = join(directory, 'MANIFEST-000099');
      writeFileSync(ours, snapshotOf(stateOf(database)));
      expect(tablesInDump(ours), name).toEqual(tablesInDump(database.manifest));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** The lines of `ldb manifest_dump` that name tables, and the counters. */
function tablesInDump(path: string): string[] {
  const text = execFileSync('ldb', ['manifest_dump', `--path=${path}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = text
    .split('\n')
    .filter((line) => /^\s*\d+:\d+\[|^-+ Column family|comparator:|last_sequence/.test(line));
  expect(lines.length).toBeGreaterThan(2);
  return lines.map((line) => line.replace(/next_file_number \d+/, '').replace(/prev_log_number.*/, ''));
}
