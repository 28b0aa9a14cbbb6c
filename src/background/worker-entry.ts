/** The program of a job worker: takes the shared memory over, opens its file system, and serves jobs until it is told to stop. */
import { workerData } from 'node:worker_threads';
import { serve } from '../../compaction/worker/serve.ts';
import { initKernel } from '../../format/kernel/kernel.ts';
import { SystemClock } from '../env/clock.ts';
import type { FileSystem, FileSystemWorkerSpec } from '../env/file-system.ts';
import { NodeFileSystem } from '../env/node-file-system.ts';
import { loadModule } from '../options/components.ts';
import type { JobWorkerData } from './start-worker.ts';
import { JobHost } from './worker-host.ts';
import { WorkerInbox } from './worker-inbox.ts';

const { memory, fileSystem, port, signal } = workerData as JobWorkerData;
initKernel(memory);
const inbox = new WorkerInbox(port, signal);
serve(inbox, new JobHost(await openFileSystem(fileSystem), new SystemClock(), inbox));

async function openFileSystem(spec: FileSystemWorkerSpec): Promise<FileSystem> {
  if (spec.kind === 'node') return new NodeFileSystem();
  return (await loadModule<FileSystem>('env.fileSystem', spec)).value;
}
