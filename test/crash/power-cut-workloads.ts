/** Bounded workloads for simulated power cuts: each exercises one way in which files come, grow, are switched and go. */

import type { Options } from '../../src/index.ts';
import { makeValue } from '../model/key-space.ts';
import type { Operation } from '../model/operation.ts';
import { OPTION_SETS, type OptionSet } from '../model/option-sets.ts';
import { OperationStream } from './operation-stream.ts';
import type { PowerCutRun } from './power-cut-run.ts';

/** One workload; it opens the database itself and leaves it open or closed as it likes. */
export interface PowerCutWorkload {
  name: string;
  optionSet: OptionSet;
  /** Options beside those of the set, for the run and for the opening of its images. */
  extra?: Options;
  run(run: PowerCutRun): Promise<void>;
}

function optionSet(name: string): OptionSet {
  return OPTION_SETS.find((set) => set.name === name)!;
}

const plain = optionSet('tiny levels');

function put(run: PowerCutRun, key: string, family = 'default'): Operation {
  return { kind: 'put', family, key, value: makeValue(run.random) };
}

function deleteKey(key: string, family = 'default'): Operation {
  return { kind: 'delete', family, key };
}

async function puts(run: PowerCutRun, count: number, sync: (i: number) => boolean, prefix = 'key'): Promise<void> {
  for (let i = 0; i < count; i++) {
    await run.write([put(run, `${prefix}${run.random.below(40)}`)], sync(i));
  }
}

/** Mixed steps from the stream of the kill tests; `syncIn`: one write in so many is synced. */
async function mixed(run: PowerCutRun, steps: number, syncIn: number): Promise<void> {
  const stream = new OperationStream(run.optionSet, run.random.nextUint32(), 60);
  for (let i = 0; i < steps; i++) {
    const step = stream.next();
    if (step.kind === 'write') {
      await run.write(step.operations.slice(0, 20), run.random.oneIn(syncIn));
    } else if (step.kind === 'flush') {
      await run.flush();
    } else if (step.kind === 'compact') {
      await run.compact();
    } else if (step.kind === 'syncWal') {
      await run.syncWal();
    } else if (step.kind === 'snapshot') {
      run.snapshot();
    } else {
      await run.reopen();
    }
  }
}

/** The workloads, in the order they are run. */
export const POWER_CUT_WORKLOADS: readonly PowerCutWorkload[] = [
  {
    name: 'synced puts in a new database',
    optionSet: plain,
    async run(run) {
      await run.open();
      await puts(run, 20, () => true);
      await run.close();
    },
  },
  {
    name: 'unsynced puts, then a flush',
    optionSet: plain,
    async run(run) {
      await run.open();
      await puts(run, 25, () => false);
      await run.flush();
      await puts(run, 10, (i) => i === 5);
    },
  },
  {
    name: 'batches across families, one family flushed at a time',
    optionSet: plain,
    async run(run) {
      await run.open();
      for (let i = 0; i < 12; i++) {
        const key = `key${i % 5}`;
        await run.write([put(run, key), put(run, key, 'reverse'), deleteKey(`key${i % 3}`)], i % 4 === 3);
        if (i % 3 === 2) {
          await run.flushFamily(i % 2 === 0 ? 'default' : 'reverse');
        }
      }
      await run.reopen();
      await puts(run, 4, () => true);
    },
  },
  {
    name: 'deletes and range deletes, flushed and compacted away',
    optionSet: plain,
    async run(run) {
      await run.open();
      await puts(run, 20, () => false);
      await run.flush();
      for (let i = 0; i < 6; i++) {
        await run.write([deleteKey(`key${i * 3}`)], true);
      }
      await run.write([{ kind: 'deleteRange', family: 'default', key: 'key2', end: 'key3' }], true);
      await run.flush();
      await run.compact();
      await puts(run, 6, (i) => i % 2 === 0);
      await run.flush();
      await run.compact();
    },
  },
  {
    name: 'deletions merged above old versions that lie levels below',
    optionSet: plain,
    async run(run) {
      await run.open();
      for (let i = 0; i < 12; i++) {
        await run.write([put(run, `key${i}`)], false);
      }
      await run.compactToLevel(4);
      // Tombstones in two overlapping tables of level 0: the next compaction writes level 1, far above the old versions.
      for (const first of [0, 1]) {
        for (let i = first; i < 8; i += 2) {
          await run.write([deleteKey(`key${i}`)], true);
        }
        await run.write([{ kind: 'deleteRange', family: 'default', key: `key1${first}`, end: 'key2' }], true);
        await run.write([put(run, 'key0a'), put(run, 'key9')], false);
        await run.flush();
      }
      await run.compact();
      await puts(run, 4, () => true);
    },
  },
  {
    name: 'overwrites under a snapshot, compacted twice',
    optionSet: plain,
    async run(run) {
      await run.open();
      for (let round = 0; round < 3; round++) {
        await puts(run, 10, (i) => i === 9);
        run.snapshot();
        await run.flush();
      }
      await run.compact();
      await run.compact();
    },
  },
  {
    name: 'memtables that fill and switch the log by themselves',
    optionSet: optionSet('tiny memtable'),
    async run(run) {
      await run.open();
      for (let i = 0; i < 30; i++) {
        const value = run.random.bytes(3000);
        await run.write([{ kind: 'put', family: 'default', key: `key${i % 12}`, value }], i % 7 === 6);
      }
      await run.close();
    },
  },
  {
    name: 'reopened again and again, logs recovered into tables',
    optionSet: plain,
    async run(run) {
      await run.open();
      for (let i = 0; i < 5; i++) {
        await puts(run, 6, (j) => j === 3);
        await run.reopen();
      }
    },
  },
  {
    name: 'reopened with logs kept, not flushed',
    optionSet: plain,
    extra: { avoidFlushDuringRecovery: true },
    async run(run) {
      await run.open();
      for (let i = 0; i < 5; i++) {
        await puts(run, 6, (j) => j === 3);
        await run.reopen();
      }
    },
  },
  {
    name: 'a MANIFEST that is rolled all the time',
    optionSet: plain,
    extra: { maxManifestFileSize: 512 },
    async run(run) {
      await run.open();
      for (let i = 0; i < 6; i++) {
        await puts(run, 5, (j) => j === 4);
        await run.flush();
      }
      await run.compact();
    },
  },
  {
    name: 'a log flushed by hand',
    optionSet: plain,
    extra: { manualWalFlush: true },
    async run(run) {
      await run.open();
      for (let i = 0; i < 5; i++) {
        await puts(run, 6, () => false);
        await run.flushWal();
      }
      await run.flush();
      await puts(run, 4, () => false);
      await run.close();
    },
  },
  {
    name: 'a log synced from time to time',
    optionSet: plain,
    async run(run) {
      await run.open();
      for (let i = 0; i < 6; i++) {
        await puts(run, 7, () => false);
        await run.syncWal();
      }
    },
  },
  {
    name: 'all families flushed as one',
    optionSet: optionSet('atomic flush'),
    async run(run) {
      await run.open();
      for (let i = 0; i < 4; i++) {
        for (let j = 0; j < 4; j++) {
          await run.write([put(run, `key${j}`), put(run, `key${j}`, 'reverse')], j === 3);
        }
        await run.flush();
      }
      await run.compact();
    },
  },
  { name: 'mixed, tiny levels', optionSet: plain, run: (run) => run.open().then(() => mixed(run, 60, 5)) },
  {
    name: 'mixed, partitioned',
    optionSet: optionSet('zstd, partitioned'),
    run: (run) => run.open().then(() => mixed(run, 60, 3)),
  },
  {
    name: 'mixed, tiny memtable',
    optionSet: optionSet('tiny memtable'),
    run: (run) => run.open().then(() => mixed(run, 80, 8)),
  },
  {
    name: 'compactions in several parts',
    optionSet: optionSet('four subcompactions'),
    async run(run) {
      await run.open();
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 8; i++) {
          const value = run.random.bytes(1500);
          await run.write([{ kind: 'put', family: 'default', key: `key${(i * 5 + round) % 12}`, value }], i === 7);
        }
        await run.write([{ kind: 'deleteRange', family: 'default', key: 'key1', end: `key${round + 5}` }], true);
        await run.flush();
      }
      await run.compact();
      await puts(run, 6, (i) => i % 2 === 0);
      await run.compact();
    },
  },
  {
    name: 'mixed, universal',
    optionSet: optionSet('universal'),
    run: (run) => run.open().then(() => mixed(run, 60, 4)),
  },
];
