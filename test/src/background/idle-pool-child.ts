/** A program that starts a job and leaves nothing else to wait for; it must end by itself after the job. */
import { runAsync } from '../../../format/base/io.ts';
import { WorkerPool } from '../../../src/background/worker-pool.ts';
import { JobDirectory, puts } from './job-directory.ts';

const pool = new WorkerPool({ fileSystem: { kind: 'node' } });
const directory = new JobDirectory(process.argv[2]!);
const result = await runAsync(pool.run(directory.flush(puts(10))));
process.stdout.write(`flushed ${result.stats.outputRecords}, threads ${pool.threadCount}\n`);
