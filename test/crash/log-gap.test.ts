/**
 * Logs that do not continue each other. A power cut may lose the unsynced end of one log and keep bytes of the next; writes
 * that bypass the logs leave the same picture, and must not be taken for it. Method: logs of a closed database are cut.
 */

import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DB, type Options } from '../../src/index.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const OPTIONS: Options = {
  createIfMissing: true,
  createMissingColumnFamilies: true,
  columnFamilies: { side: {} },
  avoidFlushDuringShutdown: true,
};

function logsIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort();
}

/** Two logs that the default family needs: only `side` is flushed between them. */
async function makeTwoLogs(path: string, between: (db: DB) => Promise<void>): Promise<void> {
  await using db = await DB.open(path, OPTIONS);
  await db.put('first', 'in the older log');
  await db.columnFamily('side').put('k', 'v');
  await db.put('second', 'in the older log');
  await between(db);
  await db.columnFamily('side').flush();
  await db.put('third', 'in the newer log');
}

test('S40 R2 records behind a log that lost its end are dropped and reported, never shown with a hole before them', async () => {
  using directory = temporaryDirectory();
  await makeTwoLogs(directory.path, async () => {});
  const older = join(directory.path, logsIn(directory.path)[0]!);
  // Cut behind the first record: checksum, length, type and log number, then the batch.
  truncateSync(older, 11 + readFileSync(older).readUInt16LE(4));
  await using db = await DB.open(directory.path, OPTIONS);
  expect(db.getSync('first')).toBeDefined();
  expect(db.getSync('second')).toBeUndefined();
  expect(db.getSync('third')).toBeUndefined();
  expect(db.recovery.droppedBytes).toBeGreaterThan(0);
});

test('S41 writes that bypassed the log leave no hole that recovery would stop at', async () => {
  using directory = temporaryDirectory();
  await makeTwoLogs(directory.path, async (db) => {
    await db.columnFamily('side').put('not logged', 'v', { disableWAL: true });
  });
  expect(logsIn(directory.path).length).toBe(2);
  for (const options of [{ ...OPTIONS, avoidFlushDuringRecovery: true }, OPTIONS]) {
    await using db = await DB.open(directory.path, options);
    expect(db.recovery.droppedBytes).toBe(0);
    for (const key of ['first', 'second', 'third']) {
      expect(db.getSync(key)).toBeDefined();
    }
    expect(db.columnFamily('side').getSync('not logged')).toBeDefined();
    await db.put('later', 'in a third log');
  }
  await using db = await DB.open(directory.path, OPTIONS);
  expect(db.recovery.droppedBytes).toBe(0);
  expect(db.getSync('later')).toBeDefined();
});
