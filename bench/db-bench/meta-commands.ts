/** Entries of `--benchmarks` that are not measured: they print something, or bring the database into a state. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DB } from '../../src/index.ts';
import type { BenchOutput } from './bench-output.ts';

type MetaCommand = (db: DB, output: BenchOutput) => Promise<void> | void;

const POLL_MS = 20;

function idle(db: DB): boolean {
  const properties = [
    'num-running-compactions',
    'num-running-flushes',
    'compaction-pending',
    'mem-table-flush-pending',
  ];
  return properties.every((name) => db.getIntProperty(`rocksdb.${name}`) === 0);
}

async function waitForCompaction(db: DB, output: BenchOutput): Promise<void> {
  output.print(`waitforcompaction(${db.path}): started\n`);
  while (!idle(db)) await sleep(POLL_MS);
  output.print(`waitforcompaction(${db.path}): finished\n`);
}

const property =
  (name: string): MetaCommand =>
  (db, output) =>
    output.print(`\n${db.getProperty(name) ?? '(failed)'}\n`);

/** All of them, by name. */
export const META_COMMANDS: ReadonlyMap<string, MetaCommand> = new Map<string, MetaCommand>([
  ['compactall', (db) => db.compactRange()],
  ['waitforcompaction', waitForCompaction],
  ['flush', (db) => db.flush()],
  ['stats', property('rocksdb.stats')],
  ['levelstats', property('rocksdb.levelstats')],
  ['sstables', property('rocksdb.sstables')],
  ['resetstats', (db) => db.statistics?.reset()],
]);
