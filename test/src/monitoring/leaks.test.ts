/**
 * Iterators and snapshots that are never closed. Method: a process that forgets some and collects its garbage; databases that
 * close with some open, whose LOG and warnings are read.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DB, Env, type Logger, type Options } from '../../../src/index.ts';
import { PROJECT_ROOT } from '../../support/source-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const CHILD = fileURLToPath(new URL('forgetful-child.ts', import.meta.url));

interface Warning {
  code: string;
  message: string;
  detail: string;
}

interface Observed {
  db: DB;
  log: string[];
  /** Warnings of the process so far. */
  warnings(): Promise<Warning[]>;
}

async function open(options: Options): Promise<Observed> {
  const log: string[] = [];
  const drop = (): void => {};
  const logger: Logger = { debug: drop, info: drop, warn: (text) => void log.push(text), error: drop };
  const warnings: Warning[] = [];
  const listener = (warning: Error): void => {
    if ((warning as unknown as Warning).code?.startsWith('PUMICE_')) warnings.push(warning as unknown as Warning);
  };
  process.on('warning', listener);
  const db = await DB.open('/db', { createIfMissing: true, env: Env.memory(), logger, ...options });
  return {
    db,
    log,
    async warnings() {
      await new Promise((resolve) => setTimeout(resolve, 5));
      process.off('warning', listener);
      return warnings;
    },
  };
}

test('S33 iterators and snapshots that were garbage-collected are warned of with the stack that made them, and freed', () => {
  using directory = temporaryDirectory();
  const child = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', CHILD, directory.path], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, PUMICE_TRACK_LEAKS: '1' },
    encoding: 'utf8',
  });
  expect(child.status, child.stderr).toBe(0);
  const found = JSON.parse(child.stdout) as {
    warnings: Warning[];
    snapshots: number;
    tables: number;
    tablesWhileOpen: number;
  };
  const codes = found.warnings.map(({ code }) => code).sort();
  expect(codes).toEqual(['PUMICE_ITERATOR_LEAK', 'PUMICE_ITERATOR_LEAK', 'PUMICE_SNAPSHOT_LEAK']);
  const maker = (name: string) => found.warnings.filter(({ detail }) => detail.includes(`at ${name}`));
  expect(maker('forgetIterator')[0]!.message).toContain('garbage-collected, without close()');
  expect(maker('forgetSnapshot')[0]!.message).toContain('garbage-collected, without release()');
  expect(maker('forgetEntries').length + maker('async forgetEntries').length).toBeGreaterThan(0);
  for (const { detail } of found.warnings) expect(detail).toContain('forgetful-child.ts');
  expect(found.snapshots).toBe(0);
  // Nothing keeps the old table once the last iterator is gone, and the deletions went with the snapshot.
  expect(found.tablesWhileOpen).toBeGreaterThan(0);
  expect(found.tables).toBe(0);
});

test('S33 what is open when the database closes is warned of with the stack that made it, and is closed', async () => {
  const { db, log, warnings } = await open({ trackLeaks: true });
  function makeIterator() {
    return db.newIterator();
  }
  const iterator = makeIterator();
  const snapshot = db.snapshot();
  db.newIterator().close();
  db.snapshot().release();
  await db.close();
  await db.close();
  const given = await warnings();
  expect(given.map(({ code }) => code)).toEqual(['PUMICE_ITERATOR_LEAK', 'PUMICE_SNAPSHOT_LEAK']);
  expect(given[0]!.message).toContain('/db was open when the database was closed');
  expect(given[0]!.detail).toContain('makeIterator');
  expect(given[1]!.detail).toContain('leaks.test.ts');
  expect(log.filter((line) => line.includes('makeIterator')).length).toBe(1);
  expect(log.length).toBe(2);
  expect(() => iterator.seekToFirstSync()).toThrow(/closed/);
  snapshot.release();
});

test('S33 without trackLeaks the LOG says how many were open, and nothing when none was', async () => {
  const open1 = await open({});
  open1.db.newIterator();
  open1.db.newIterator().close();
  const snapshots = [open1.db.snapshot(), open1.db.snapshot()];
  await open1.db.close();
  expect(open1.log).toEqual([
    'iterators left open at close: 1 (trackLeaks tells who created them)',
    'snapshots left open at close: 2 (trackLeaks tells who created them)',
  ]);
  expect(await open1.warnings()).toEqual([]);
  for (const snapshot of snapshots) snapshot.release();
  const open2 = await open({});
  open2.db.newIterator().close();
  await open2.db.close();
  expect(open2.log).toEqual([]);
  await open2.warnings();
});
