/**
 * Tables on fast storage that forgets, logs on slow storage that does not: all data files live in a tmpfs or on a local
 * disk of a cloud machine, `walDir` on something durable. Logs are kept, and a checkpoint stands beside them; when the fast
 * storage is lost, the checkpoint is put back and the logs since then are replayed over it.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DB } from '../../src/index.ts';
import { runAsProgram } from './run-as-program.ts';

/** Where the parts of one database are. */
export interface Places {
  /** May vanish at any time. */
  volatile: string;
  /** Keeps logs and checkpoints. */
  durable: string;
}

const LOG_FILE = /^\d+\.log$/;

function walDirOf(places: Places): string {
  return join(places.durable, 'wal');
}

function checkpointOf(places: Places): string {
  return join(places.durable, 'checkpoint');
}

/** Opens the database; after a loss of the volatile storage it comes back from the durable one. */
export async function open(places: Places): Promise<DB> {
  const walDir = walDirOf(places);
  mkdirSync(walDir, { recursive: true });
  finishSwap(checkpointOf(places));
  if (!existsSync(join(places.volatile, 'CURRENT')) && existsSync(checkpointOf(places))) restore(places);
  const db = await DB.open(places.volatile, {
    createIfMissing: true,
    walDir,
    // Logs whose data is in tables go to the archive instead of away; saveCheckpoint says when they may go.
    walTtlSeconds: 365 * 24 * 3600,
    walRecoveryMode: 'pointInTime',
    writeBufferSize: 64 * 1024,
  });
  // The first checkpoint is that of an empty database: the logs hold all the rest.
  if (!existsSync(checkpointOf(places))) await saveCheckpoint(db, places);
  return db;
}

/** Puts a new checkpoint beside the logs and removes the logs that it makes needless, so that a restore stays short. */
export async function saveCheckpoint(db: DB, places: Places): Promise<void> {
  const target = checkpointOf(places);
  const [next, previous] = [`${target}.next`, previousOf(target)];
  rmSync(next, { recursive: true, force: true });
  await db.createCheckpoint(next);
  rmSync(previous, { recursive: true, force: true });
  if (existsSync(target)) renameSync(target, previous);
  renameSync(next, target);
  const firstNeeded = Math.min(...logNumbers(target));
  const archive = join(walDirOf(places), 'archive');
  for (const number of logNumbers(archive)) {
    if (number < firstNeeded) await db.deleteFile(`archive/${logName(number)}`);
  }
}

function previousOf(checkpoint: string): string {
  return `${checkpoint}.previous`;
}

/** A process that died between the two renames of `saveCheckpoint` left the older checkpoint under the other name. */
function finishSwap(checkpoint: string): void {
  if (!existsSync(checkpoint) && existsSync(previousOf(checkpoint))) renameSync(previousOf(checkpoint), checkpoint);
}

/** Brings the checkpoint back, and the archived logs to where recovery looks for logs. */
function restore(places: Places): void {
  const walDir = walDirOf(places);
  mkdirSync(places.volatile, { recursive: true });
  // The checkpoint has a copy of the log of its moment; the one in walDir is the longer one.
  const isNoLog = (path: string) => !path.endsWith('.log');
  cpSync(checkpointOf(places), places.volatile, { recursive: true, filter: isNoLog });
  const archive = join(walDir, 'archive');
  for (const number of logNumbers(archive)) renameSync(join(archive, logName(number)), join(walDir, logName(number)));
}

function logName(number: number): string {
  return `${String(number).padStart(6, '0')}.log`;
}

function logNumbers(directory: string): number[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => LOG_FILE.test(name));
  return names.map((name) => Number.parseInt(name, 10));
}

function writeSome(db: DB, model: Map<string, string>, round: number): void {
  for (let i = 0; i < 1500; i++) {
    const key = `key${(i * 389 + round * 17) % 2000}`;
    if (i % 7 === 0) {
      db.deleteSync(key);
      model.delete(key);
    } else {
      db.putSync(key, `${round}.${i}`.padEnd(60, '-'));
      model.set(key, `${round}.${i}`.padEnd(60, '-'));
    }
  }
}

/** Loses the volatile storage three times, with and without a newer checkpoint, and compares with a model. */
export async function main(directory: string) {
  const places = { volatile: join(directory, 'volatile'), durable: join(directory, 'durable') };
  const model = new Map<string, string>();
  const rounds: { replayedLogs: number; wrong: number }[] = [];
  let wrong = 0;
  for (let round = 0; round < 4; round++) {
    const db = await open(places);
    const found = [...db.entriesSync()].map(([key, value]) => [
      Buffer.from(key).toString(),
      Buffer.from(value).toString(),
    ]);
    wrong = found.filter(([key, value]) => model.get(key!) !== value).length + Math.abs(found.length - model.size);
    rounds.push({ replayedLogs: db.recovery.replayedFiles.length, wrong });
    writeSome(db, model, round);
    if (round === 1) {
      await saveCheckpoint(db, places);
      writeSome(db, model, round + 10);
    }
    await db.close();
    rmSync(places.volatile, { recursive: true, force: true });
  }
  return { rounds, keys: model.size };
}

await runAsProgram(import.meta.url, main);
