/** Runs one workload on one store and measures it: wall clock, processor time, and how long the event loop was held. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Store, StoreKind } from './store.ts';
import type { Workload, WorkloadInput } from './workloads.ts';

/** One measured run. */
export interface Measurement {
  operations: number;
  wallMs: number;
  /** User and system time of the whole process, worker threads included. */
  cpuMs: number;
  /** 99th percentile of the event loop's delay while the workload ran. */
  loopDelayP99Ms: number;
}

const WRITE_BUFFER_BYTES = 64 << 20;
const CACHE_BYTES = 256 << 20;

/** Opens a store in a new directory, hands it to `use`, closes it and removes the directory. */
export async function withStore<T>(kind: StoreKind, use: (store: Store) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'pumice-bench-'));
  try {
    const options = { writeBufferBytes: WRITE_BUFFER_BYTES, cacheBytes: CACHE_BYTES };
    const store = await kind.open(join(directory, 'db'), options);
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Measures a workload on a store that is ready for it; undefined where the store cannot do it. */
export async function measure(
  workload: Workload,
  store: Store,
  input: WorkloadInput,
): Promise<Measurement | undefined> {
  globalThis.gc?.();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const started = performance.now();
  const operations = await workload.run(store, input);
  const wallMs = performance.now() - started;
  const used = process.cpuUsage(cpu);
  delay.disable();
  if (operations === undefined) {
    return undefined;
  }
  return {
    operations,
    wallMs,
    cpuMs: (used.user + used.system) / 1000,
    loopDelayP99Ms: delay.percentile(99) / 1e6,
  };
}
