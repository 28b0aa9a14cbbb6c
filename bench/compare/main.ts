/**
 * `npm run bench`: Pumice beside classic-level (LevelDB) in one run, alternated, so that a busy machine is as unkind to
 * one as to the other.
 *
 *   npm run bench -- [--num=1000000] [--awaited=100000] [--value-size=100] [--rounds=3] [--only=TEXT] [--json]
 */

import { parseArgs } from 'node:util';
import { classicLevel } from './classic-level-store.ts';
import { randomEntries } from './key-sequence.ts';
import { type Measurement, measure, withStore } from './measure.ts';
import { pumice } from './pumice-store.ts';
import { describeMachine, formatTable, type Series, summarize } from './report.ts';
import type { StoreKind } from './store.ts';
import { WORKLOADS, type Workload, type WorkloadInput } from './workloads.ts';

const STORES: readonly StoreKind[] = [pumice, classicLevel];
const KEY_BYTES = 16;

function wholeNumber(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`--${flag} must be a whole number above 0`);
  }
  return value;
}

async function runFill(workload: Workload, kind: StoreKind, input: WorkloadInput): Promise<Measurement | undefined> {
  return await withStore(kind, (store) => measure(workload, store, input));
}

/** Loads a store once and runs all reading workloads on it. */
async function runReads(
  workloads: readonly Workload[],
  kind: StoreKind,
  input: WorkloadInput,
  note: (workload: Workload, result: Measurement | undefined) => void,
): Promise<void> {
  await withStore(kind, async (store) => {
    for (let from = 0; from < input.entries.length; from += 1000) {
      await store.batch(input.entries.slice(from, from + 1000));
    }
    await store.compact();
    for (const workload of workloads) {
      note(workload, await measure(workload, store, input));
    }
  });
}

/** Starts what starts once a process (worker threads, compiled code), so that no measured run pays for it. */
async function warmUp(input: WorkloadInput): Promise<void> {
  for (const kind of STORES) {
    await withStore(kind, async (store) => {
      await store.batch(input.entries.slice(0, 1000));
      await store.compact();
      await store.scan(false, 100);
    });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      num: { type: 'string', default: '1000000' },
      awaited: { type: 'string' },
      'value-size': { type: 'string', default: '100' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const num = wholeNumber(values.num, 'num');
  const valueBytes = wholeNumber(values['value-size'], 'value-size');
  const rounds = wholeNumber(values.rounds, 'rounds');
  const awaitedCount = Math.min(num, wholeNumber(values.awaited ?? String(Math.ceil(num / 10)), 'awaited'));
  const input: WorkloadInput = { entries: randomEntries(num, valueBytes), awaitedCount };
  const chosen = WORKLOADS.filter((workload) => workload.name.includes(values.only));
  const series: Series[] = chosen.flatMap((workload) =>
    STORES.map((kind) => ({ workload: workload.name, store: kind.name, rounds: [] })),
  );
  const note = (kind: StoreKind) => (workload: Workload, result: Measurement | undefined) => {
    if (result !== undefined) {
      series.find((each) => each.workload === workload.name && each.store === kind.name)?.rounds.push(result);
    }
  };
  if (!values.json) {
    process.stdout.write(
      `${describeMachine()}\n${num} entries of ${KEY_BYTES} + ${valueBytes} bytes, ${rounds} rounds\n`,
    );
  }
  await warmUp(input);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? STORES : [...STORES].reverse();
    for (const workload of chosen.filter((each) => each.fill)) {
      for (const kind of order) {
        note(kind)(workload, await runFill(workload, kind, input));
      }
    }
    const reads = chosen.filter((each) => !each.fill);
    for (const kind of reads.length > 0 ? order : []) {
      await runReads(reads, kind, input, note(kind));
    }
  }
  if (values.json) {
    const results = series
      .filter((each) => each.rounds.length > 0)
      .map((each) => ({ workload: each.workload, store: each.store, ...summarize(each), rounds: each.rounds }));
    process.stdout.write(`${JSON.stringify({ machine: describeMachine(), num, valueBytes, results }, null, 2)}\n`);
  } else {
    process.stdout.write(`${formatTable(series, KEY_BYTES + valueBytes)}\n`);
  }
}

await main();
