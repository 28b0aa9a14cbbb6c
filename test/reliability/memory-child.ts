/**
 * A process whose memory is watched: `memory-child.ts <directory> <load|fill-log|replay> <MiB>`. `load` writes so much, reads and
 * scans beside it, and compacts; `fill-log` leaves a log of that size and dies; `replay` opens what is left. It prints as JSON
 * its greatest resident size, and how long the work took.
 */

import { BlockCache, DB, type Options } from '../../src/index.ts';

const MIB = 1 << 20;
const VALUE_SIZE = 1000;
const [directory, task, sizeMiB] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];
const rows = Math.floor((sizeMiB * MIB) / VALUE_SIZE);
const cache = new BlockCache({ capacity: 64 * MIB });
const options: Options = {
  createIfMissing: true,
  writeBufferSize: task === 'fill-log' ? 2 * 1024 * MIB : 16 * MIB,
  maxWriteBufferNumber: 3,
  blockCache: cache,
};

const started = performance.now();
const report: { rows?: number; mostMiB?: number; seconds?: number } = {};

/** The greatest resident size of this process so far, as the system kept it. */
function mostMiB(): number {
  return Math.round((process.resourceUsage().maxRSS * 1024) / MIB);
}

function secondsSoFar(): number {
  return Math.round(performance.now() - started) / 1000;
}

function key(i: number): string {
  return `key${String((i * 7919) % rows).padStart(9, '0')}`;
}

/** Bytes that no codec makes much smaller, different for each row. */
const noise = Buffer.from(Array.from({ length: 2 * VALUE_SIZE }, (_, i) => (i * i * 31 + (i >> 3) * 17) & 0xff));

async function write(db: DB, readEvery: number): Promise<void> {
  for (let i = 0; i < rows; i += 100) {
    const end = Math.min(rows, i + 100);
    const writes: Promise<unknown>[] = [];
    for (let j = i; j < end; j++) {
      writes.push(db.put(key(j), noise.subarray(j % VALUE_SIZE, (j % VALUE_SIZE) + VALUE_SIZE)));
      if (readEvery > 0 && j % readEvery === 0) {
        writes.push(db.get(key((j * 31) % (j + 1))));
      }
    }
    await Promise.all(writes);
  }
}

async function load(): Promise<number> {
  await using db = await DB.open(directory, options);
  await write(db, 4);
  await db.compactRange();
  let found = 0;
  for await (const _row of db.entries()) {
    found++;
  }
  return found;
}

/** Only the replay is measured: the scan that counts the rows fills the cache. */
async function replay(): Promise<number> {
  await using db = await DB.open(directory, options);
  report.mostMiB = mostMiB();
  report.seconds = secondsSoFar();
  let found = 0;
  for (const [name] of db.entriesSync()) {
    found += name.length > 0 ? 1 : 0;
  }
  return found;
}

if (task === 'fill-log') {
  await write(await DB.open(directory, options), 0);
  process.kill(process.pid, 'SIGKILL');
}
report.rows = await (task === 'load' ? load() : replay());
report.mostMiB ??= mostMiB();
report.seconds ??= secondsSoFar();
process.stdout.write(`${JSON.stringify({ ...report, expected: rows })}\n`);
