/**
 * Starts the thread that `worker-entry` is the program of, wherever this file runs from: the built package, or the sources
 * under a Node that strips types itself or under one that does not (development only).
 */
import { type MessagePort, Worker, type WorkerOptions } from 'node:worker_threads';
import type { FileSystemWorkerSpec } from '../env/file-system.ts';

/** What a job worker is started with. */
export interface JobWorkerData {
  /** The kernel's memory, shared by all threads. */
  readonly memory: WebAssembly.Memory;
  readonly fileSystem: FileSystemWorkerSpec;
  /** Its end of the channel; transferred. */
  readonly port: MessagePort;
  /** One shared word that the worker raises and notifies after each answer, for who waits without an event loop. */
  readonly signal: SharedArrayBuffer;
}

/**
 * Jobs work in the kernel's memory and leave little behind in JavaScript's. With the default of 48 MiB a thread keeps what it
 * once needed: two threads held 40 MiB more than with this, and were no faster.
 */
const YOUNG_GENERATION_MIB = 4;

/** Starts a job worker; it comes up by itself even while this thread blocks. Failures come as its `error` event. */
export function startWorker(data: JobWorkerData): Worker {
  return startProgram('worker-entry', {
    name: 'pumice jobs',
    workerData: data,
    transferList: [data.port],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
  });
}

function startProgram(name: string, options: WorkerOptions): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, import.meta.url), options);
  const source = new URL(`./${name}.ts`, import.meta.url).href;
  if ((process.features as { typescript?: unknown }).typescript) return new Worker(new URL(source), options);
  // The loader is registered inside the thread; one that this process was started with would only get in its way.
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const program = `import{register}from${loader};register();await import(${JSON.stringify(source)})`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), { ...options, execArgv: [] });
}
