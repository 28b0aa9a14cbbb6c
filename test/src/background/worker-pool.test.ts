/** The worker pool with real threads: what jobs make, who waits how, which job goes first, and how threads end. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { CompactionResult } from '../../../compaction/compaction-result.ts';
import { ControlBlock } from '../../../compaction/worker/protocol.ts';
import { mergeOperatorByName } from '../../../format/base/builtin-merge-operators.ts';
import { ValueType } from '../../../format/base/internal-key.ts';
import { runAsync, runSync } from '../../../format/base/io.ts';
import { type PoolRequest, WorkerPool, type WorkerPoolOptions } from '../../../src/background/worker-pool.ts';
import type { Version } from '../../compaction/history.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { fromModule, JobDirectory, plainComponents, progressOf, puts, runHere } from './job-directory.ts';

/** Two directories in one, a pool, and their end. */
class Setup implements AsyncDisposable {
  readonly pool: WorkerPool;
  readonly directory: JobDirectory;
  readonly twin: JobDirectory;
  readonly #root = temporaryDirectory();

  constructor(options: Partial<WorkerPoolOptions> = {}) {
    this.pool = new WorkerPool({ fileSystem: { kind: 'node' }, ...options });
    this.directory = new JobDirectory(`${this.#root.path}/a`);
    this.twin = new JobDirectory(`${this.#root.path}/b`);
  }

  /** A file that `gated` filters wait for to be removed. */
  gate(): { path: string; open: () => void } {
    const path = `${this.#root.path}/gate`;
    writeFileSync(path, '');
    return { path, open: () => rmSync(path) };
  }

  run(request: PoolRequest): Promise<CompactionResult> {
    return runAsync(this.pool.run(request));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close();
    this.directory.free();
    this.twin.free();
    this.#root[Symbol.dispose]();
  }
}

function merges(count: number): Version[] {
  return puts(count).flatMap((put) => [
    { ...put, sequence: put.sequence * 2 },
    { ...put, sequence: put.sequence * 2 + 1, type: ValueType.merge, value: 'operand' },
  ]);
}

/** As text: long arrays are slow to compare. */
function files(directory: JobDirectory, result: CompactionResult): string[] {
  return result.outputs.map((file) => Buffer.from(directory.bytes(file)).toString('latin1'));
}

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string; retryable: boolean }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error as { code: string; message: string; retryable: boolean };
}

describe('jobs in a worker', () => {
  test('make the same files, byte for byte, as on this thread', async () => {
    await using setup = new Setup({ compactionWorkers: 1, flushWorkers: 1 });
    const { directory, twin } = setup;
    const flushed = await setup.run(directory.flush(puts(5000)));
    const flushedHere = runHere(twin.flush(puts(5000)));
    expect(flushed.outputs).toEqual(flushedHere.outputs);
    expect(files(directory, flushed)).toEqual(files(twin, flushedHere));

    const newer = await setup.run(directory.flush(puts(3000, 6000)));
    const newerHere = runHere(twin.flush(puts(3000, 6000)));
    const request = directory.compaction([...newer.outputs, ...flushed.outputs]);
    const merged = await setup.run(request);
    const mergedHere = runHere(twin.compaction([...newerHere.outputs, ...flushedHere.outputs]));
    expect(merged.outputs.length).toBeGreaterThan(2);
    expect(merged.outputs).toEqual(mergedHere.outputs);
    expect(files(directory, merged)).toEqual(files(twin, mergedHere));
    expect(merged.stats.outputRecords).toBe(5000);
    expect(new ControlBlock(request.control).bytesWritten).toBeGreaterThan(0);
    expect(setup.pool.threadCount).toBe(2);
  });

  test('S115 merge operators run in workers: built-in ones by name, others by module', async () => {
    await using setup = new Setup();
    const { directory, twin } = setup;
    const name = '{id=StringAppendOperator;delimiter=|;}';
    const builtin = { ...plainComponents, mergeOperator: { kind: 'builtin', name } as const };
    const result = await setup.run(directory.flush(merges(100), builtin));
    const here = runHere(twin.flush(merges(100)), { mergeOperator: mergeOperatorByName(name) });
    expect(files(directory, result)).toEqual(files(twin, here));
    expect(result.stats.outputRecords).toBe(100);

    const module = { ...plainComponents, mergeOperator: fromModule('joining', { with: '+' }) };
    const [table] = files(directory, await setup.run(directory.flush(merges(3), module)));
    expect(table).toContain('1+operand');
  });

  test('components that cannot be had fail the job, and the thread goes on', async () => {
    await using setup = new Setup();
    const { directory, pool } = setup;
    const missing = { ...plainComponents, mergeOperator: fromModule('nothing') };
    expect(await failure(setup.run(directory.flush(puts(3), missing)))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const unknown = { ...plainComponents, mergeOperator: { kind: 'builtin', name: 'no such operator' } as const };
    expect(await failure(setup.run(directory.flush(puts(3), unknown)))).toMatchObject({ code: 'NOT_SUPPORTED' });
    const uncloneable = { ...plainComponents, mergeOperator: fromModule('joining', { with: () => '+' }) };
    expect(await failure(setup.run(directory.flush(puts(3), uncloneable)))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await setup.run(directory.flush(puts(3)))).outputs).toHaveLength(1);
    expect(pool.threadCount).toBe(1);
  });

  test('a job that has too few file numbers fails with INCOMPLETE and leaves no file', async () => {
    await using setup = new Setup();
    const inputs = setup.directory.overlapping(3000);
    const before = setup.directory.names;
    const request = setup.directory.compaction(inputs, {}, plainComponents, 1);
    expect(await failure(setup.run(request))).toMatchObject({ code: 'INCOMPLETE' });
    expect(setup.directory.names).toEqual(before);
  });

  test('a missing input is reported with its path', async () => {
    await using setup = new Setup();
    const inputs = setup.directory.overlapping(10);
    rmSync(`${setup.directory.path}/${setup.directory.names[0]}`);
    expect((await failure(setup.run(setup.directory.compaction(inputs)))).message).toContain(setup.directory.path);
  });

  test('the file system may come from a module', async () => {
    using place = temporaryDirectory();
    const module = new URL('recording-file-system.ts', import.meta.url).href;
    const options = { record: `${place.path}/created` };
    await using setup = new Setup({ fileSystem: { kind: 'module', module, export: 'recording', options } });
    await setup.run(setup.directory.flush(puts(3)));
    expect(readFileSync(options.record, 'utf8')).toBe(`${setup.directory.path}/${setup.directory.names[0]}\n`);
  });

  test('a thread that cannot start fails its job and says why', async () => {
    const module = new URL('missing.ts', import.meta.url).href;
    await using setup = new Setup({ fileSystem: { kind: 'module', module } });
    const lost = await failure(setup.run(setup.directory.flush(puts(3))));
    expect(lost).toMatchObject({ code: 'IO_ERROR', retryable: true });
    expect(lost.message).toContain('missing.ts');
  });
});

describe('a caller that blocks', () => {
  test('gets its result without the event loop, and settles the jobs of others', async () => {
    await using setup = new Setup({ compactionWorkers: 1, flushWorkers: 1 });
    const { directory, pool } = setup;
    const inputs = directory.overlapping(2000);
    const compaction = setup.run(directory.compaction(inputs));
    const first = setup.run(directory.flush(puts(500)));
    const second = setup.run(directory.flush(puts(400)));
    // The second flush waits for the first: blocking for it must hand it out.
    expect(pool.waitingCount).toBe(1);
    const third = runSync(pool.run(directory.flush(puts(300))));
    expect(third.stats.outputRecords).toBe(300);
    expect((await first).stats.outputRecords).toBe(500);
    expect((await second).stats.outputRecords).toBe(400);
    expect((await compaction).stats.outputRecords).toBe(2000);
  });

  test('gets the error of its job thrown', async () => {
    await using setup = new Setup();
    const inputs = setup.directory.overlapping(100);
    const request = setup.directory.compaction(inputs, {}, plainComponents, 0);
    expect(() => runSync(setup.pool.run(request))).toThrow(expect.objectContaining({ code: 'INCOMPLETE' }));
  });

  test('hears that the thread died', async () => {
    await using setup = new Setup();
    const deadly = { ...plainComponents, mergeOperator: fromModule('deadly') };
    const request = setup.directory.flush(merges(10), deadly);
    const lost = expect.objectContaining({ code: 'IO_ERROR', retryable: true });
    expect(() => runSync(setup.pool.run(request))).toThrow(lost);
    expect(runSync(setup.pool.run(setup.directory.flush(puts(10)))).stats.outputRecords).toBe(10);
    expect(setup.pool.threadCount).toBe(1);
  });
});

describe('threads', () => {
  test('one that dies fails its job with IO_ERROR and is replaced', async () => {
    await using setup = new Setup();
    const deadly = { ...plainComponents, mergeOperator: fromModule('deadly') };
    const lost = failure(setup.run(setup.directory.flush(merges(10), deadly)));
    const next = setup.run(setup.directory.flush(puts(10)));
    expect(await lost).toMatchObject({ code: 'IO_ERROR', retryable: true });
    expect((await lost).message).toContain('code 7');
    expect((await next).stats.outputRecords).toBe(10);
    expect(setup.pool.threadCount).toBe(1);
  });

  test('S49 two compactions run at the same time', async () => {
    await using setup = new Setup({ compactionWorkers: 2, flushWorkers: 1 });
    const { directory } = setup;
    const slow = { bytesPerSecond: 2_000_000 };
    const requests = [1, 2, 3].map(() => directory.compaction(directory.overlapping(5000), slow));
    let finished = 0;
    const results = requests.map(async (request) => {
      const result = await setup.run(request);
      finished++;
      return result;
    });
    await Promise.all([progressOf(requests[0]!), progressOf(requests[1]!)]);
    expect(finished).toBe(0);
    expect(setup.pool.waitingCount).toBe(1);
    expect(setup.pool.threadCount).toBe(2);
    const [first, ...others] = await Promise.all(results);
    const here = runHere(setup.twin.compaction(setup.twin.overlapping(5000)));
    for (const result of [first!, ...others]) expect(result.stats.outputRecords).toBe(here.stats.outputRecords);
    expect(files(directory, first!).map((bytes) => bytes.length)).toEqual(files(setup.twin, here).map((b) => b.length));
  });

  test('S58 flushes have a thread of their own: compactions that hang do not hold them up', async () => {
    await using setup = new Setup({ compactionWorkers: 1, flushWorkers: 1 });
    const { directory, pool } = setup;
    const gate = setup.gate();
    const components = { ...plainComponents, compactionFilter: fromModule('gated', { gate: gate.path }) };
    const hanging = [1, 2].map(() => setup.run(directory.compaction(directory.overlapping(10), {}, components)));
    for (let i = 0; i < 5; i++) expect((await setup.run(directory.flush(puts(100)))).outputs).toHaveLength(1);
    expect([pool.waitingCount, pool.threadCount]).toEqual([1, 2]);
    gate.open();
    await Promise.all(hanging);
  });

  test('one that serves both does a flush in the middle of a compaction', async () => {
    await using setup = new Setup({ cores: 2 });
    const { directory } = setup;
    const request = directory.compaction(directory.overlapping(20_000), { bytesPerSecond: 4_000_000 });
    let finished = false;
    const compaction = setup.run(request).finally(() => {
      finished = true;
    });
    await progressOf(request);
    for (let i = 0; i < 3; i++) expect((await setup.run(directory.flush(puts(100)))).stats.outputRecords).toBe(100);
    expect(finished).toBe(false);
    expect(setup.pool.threadCount).toBe(1);
    const here = runHere(setup.twin.compaction(setup.twin.overlapping(20_000)));
    const merged = await compaction;
    expect(merged.outputs.map(({ sizeBytes }) => sizeBytes)).toEqual(here.outputs.map(({ sizeBytes }) => sizeBytes));
  });

  test('a running job is cancelled and leaves no file', async () => {
    await using setup = new Setup();
    const { directory } = setup;
    const inputs = directory.overlapping(20_000);
    const before = directory.names;
    const request = directory.compaction(inputs, { bytesPerSecond: 200_000 });
    const started = performance.now();
    const cancelled = failure(setup.run(request));
    await progressOf(request);
    new ControlBlock(request.control).cancel();
    expect(await cancelled).toMatchObject({ code: 'ABORTED' });
    // At that rate the whole would have taken ten seconds.
    expect(performance.now() - started).toBeLessThan(7000);
    expect(directory.names).toEqual(before);
  });

  test('closing waits for jobs, ends the threads and refuses more', async () => {
    const setup = new Setup();
    const results = [1, 2, 3].map(() => setup.run(setup.directory.flush(puts(50))));
    await setup.pool.close();
    expect(setup.pool.threadCount).toBe(0);
    expect((await Promise.all(results)).map(({ outputs }) => outputs.length)).toEqual([1, 1, 1]);
    expect(await failure(setup.run(setup.directory.flush(puts(1))))).toMatchObject({ code: 'CLOSED' });
    await setup[Symbol.asyncDispose]();
  });

  test('pending jobs keep a process alive, idle threads do not', () => {
    using place = temporaryDirectory();
    const child = fileURLToPath(new URL('idle-pool-child.ts', import.meta.url));
    const tsx = import.meta.resolve('tsx');
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', tsx, child, place.path], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'flushed 10, threads 1\n', stderr: '' });
  });
});
