/** The measured workloads: what each does to an open store, and how many operations that was. */

import type { Entry, Store } from './store.ts';

/** Data that all workloads share. */
export interface WorkloadInput {
  /** In random key order. */
  entries: readonly Entry[];
  /** How many operations a workload makes that awaits each one. */
  awaitedCount: number;
}

/** A workload. `fill` ones start with an empty store, the others with a loaded and compacted one. */
export interface Workload {
  name: string;
  fill: boolean;
  /** Resolves to the number of operations, or undefined where the store cannot do it. */
  run(store: Store, input: WorkloadInput): Promise<number | undefined>;
}

const IN_FLIGHT = 100;
const BATCH = 1000;
const SCAN_CHUNK = 1000;

async function inFlight(entries: readonly Entry[], store: Store): Promise<void> {
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < entries.length) {
      const { key, value } = entries[next++]!;
      await store.put(key, value);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, writer));
}

async function inBatches(entries: readonly Entry[], store: Store): Promise<void> {
  for (let from = 0; from < entries.length; from += BATCH) {
    await store.batch(entries.slice(from, from + BATCH));
  }
}

function found(value: Uint8Array | undefined): void {
  if (value === undefined) {
    throw new Error('a key that was written is not there');
  }
}

function whole(entries: number, input: WorkloadInput): number {
  if (entries !== input.entries.length) {
    throw new Error(`a scan met ${entries} entries of ${input.entries.length}`);
  }
  return entries;
}

async function readEach(store: Store, { entries }: WorkloadInput): Promise<number> {
  for (const { key } of entries) {
    found(store.getSync(key));
  }
  return entries.length;
}

/** All workloads, in the order they are run. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: 'fillrandom, each put awaited',
    fill: true,
    async run(store, { entries, awaitedCount }) {
      for (let i = 0; i < awaitedCount; i++) {
        await store.put(entries[i]!.key, entries[i]!.value);
      }
      return awaitedCount;
    },
  },
  {
    name: 'fillrandom, putSync',
    fill: true,
    async run(store, { entries }) {
      if (store.putSync === undefined) {
        return undefined;
      }
      for (const { key, value } of entries) {
        store.putSync(key, value);
      }
      return entries.length;
    },
  },
  {
    name: 'fillrandom, 100 in flight',
    fill: true,
    async run(store, { entries }) {
      await inFlight(entries, store);
      return entries.length;
    },
  },
  {
    name: 'fillbatch, 1000 a batch',
    fill: true,
    async run(store, { entries }) {
      await inBatches(entries, store);
      return entries.length;
    },
  },
  {
    name: 'readrandom, getSync',
    fill: false,
    run: readEach,
  },
  {
    name: 'readrandom, getSync again',
    fill: false,
    run: readEach,
  },
  {
    name: 'readrandom, each get awaited',
    fill: false,
    async run(store, { entries, awaitedCount }) {
      for (let i = 0; i < awaitedCount; i++) {
        found(await store.get(entries[i]!.key));
      }
      return awaitedCount;
    },
  },
  {
    name: 'readseq',
    fill: false,
    run: async (store, input) => whole((await store.scan(false, SCAN_CHUNK)).entries, input),
  },
  {
    name: 'readreverse',
    fill: false,
    run: async (store, input) => whole((await store.scan(true, SCAN_CHUNK)).entries, input),
  },
  {
    name: 'fillbatch, then compacted',
    fill: true,
    async run(store, { entries }) {
      await inBatches(entries, store);
      await store.compact();
      return entries.length;
    },
  },
];
