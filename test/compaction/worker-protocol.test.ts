/** The worker's loop over a port in this thread: every message is cloned, as between threads. */
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { DBError } from '../../format/base/db-error.ts';
import { ValueType } from '../../format/base/internal-key.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import type { JobComponents } from '../../compaction/job-settings.ts';
import {
  ControlBlock,
  fileNumbersFor,
  fromPlainError,
  type MessageFromWorker,
  type RunMessage,
  toPlainError,
  type WorkerJob,
  withOwnBytes,
} from '../../compaction/worker/protocol.ts';
import { serve, type WorkerHost, type WorkerPort } from '../../compaction/worker/serve.ts';
import { makeMemtable, type Version } from './history.ts';
import { componentsWith, settingsWith } from './memory-compaction-io.ts';
import { SmallTree } from './small-tree.ts';

function versions(count: number): Version[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `key${String(i).padStart(5, '0')}`,
    sequence: i + 1,
    type: ValueType.value,
    value: `value${i}`,
  }));
}

/** A worker whose files are a tree's, and the main thread's end of its channel. */
class Served {
  readonly tree = new SmallTree({ targetFileSizeBase: 2000 });
  readonly control = new ControlBlock();
  loadFailure: Error | undefined;
  loaded: string[] = [];
  readonly #channel = new MessageChannel();
  #id = 0;

  constructor() {
    const host: WorkerHost = {
      loadComponents: async (message): Promise<JobComponents> => {
        if (this.loadFailure) throw this.loadFailure;
        const { comparator } = message.components;
        this.loaded.push(comparator.kind === 'builtin' ? comparator.name : comparator.module);
        return componentsWith();
      },
      prepare: async () => {},
      openIo: (_message, _components, control) => {
        const io = this.tree.io;
        io.checkCancelled = () => {
          if (control.cancelled) throw new DBError('ABORTED', 'the job was cancelled', { retryable: true });
        };
        io.progress = (read = 0, written = 0) => control.setProgress(read, written);
        return io;
      },
    };
    serve(this.#channel.port2 as unknown as WorkerPort, host);
  }

  async run(job: WorkerJob): Promise<MessageFromWorker> {
    const message: RunMessage = {
      type: 'run',
      id: ++this.#id,
      job: withOwnBytes(job),
      settings: settingsWith(),
      components: {
        comparator: { kind: 'builtin', name: 'leveldb.BytewiseComparator' },
        mergeOperator: undefined,
        compactionFilter: undefined,
        compactionFilterFactory: undefined,
        prefixExtractor: undefined,
      },
      directory: '/db',
      fileNumbers: Array.from({ length: fileNumbersFor(job) }, (_, i) => 100 + i),
      control: this.control.buffer,
      bytesPerSecond: 0,
      directReads: false,
    };
    const answer = new Promise<MessageFromWorker>((resolve) => this.#channel.port1.once('message', resolve));
    this.#channel.port1.postMessage(message);
    return answer;
  }

  stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#channel.port1.once('close', () => resolve()));
    this.#channel.port1.postMessage({ type: 'stop' });
    return closed;
  }
}

describe('worker', () => {
  test('runs a flush of memtables in shared memory, then a compaction of the result', async () => {
    const served = new Served();
    const memtable = makeMemtable(versions(500), []);
    const flushed = await served.run({ kind: 'flush', plan: { memtables: [memtable], pathId: 0, oldestKeyTime: 0 } });
    getKernel().x.memtableFree(memtable);
    if (flushed.type !== 'done') throw new Error(flushed.error.message);
    served.tree.levels[0] = [...flushed.result.outputs];
    const plan = served.tree.plan(0, served.tree.levels[0], 1);
    const compacted = await served.run({ kind: 'compaction', compaction: plan });
    if (compacted.type !== 'done') throw new Error(compacted.error.message);
    expect(compacted.result.outputs.length).toBeGreaterThan(3);
    expect(compacted.result.outputs.length).toBeLessThan(fileNumbersFor({ kind: 'compaction', compaction: plan }));
    expect(served.control.bytesRead).toBe(flushed.result.outputs[0]!.sizeBytes);
    expect(served.control.bytesWritten).toBeGreaterThan(0);
    served.tree.install(plan, compacted.result);
    expect(served.tree.versions()).toHaveLength(500);
    expect(served.loaded).toEqual(['leveldb.BytewiseComparator', 'leveldb.BytewiseComparator']);
    await served.stop();
  });

  test('a cancelled job answers ABORTED and leaves no output', async () => {
    const served = new Served();
    served.tree.flush(versions(100), []);
    served.control.cancel();
    const answer = await served.run({ kind: 'compaction', compaction: served.tree.plan(0, served.tree.levels[0]!, 1) });
    if (answer.type !== 'failed') throw new Error('the job was not cancelled');
    expect(answer.error.code).toBe('ABORTED');
    expect(served.tree.io.files.size).toBe(1);
    await served.stop();
  });

  test('a component that cannot be loaded is answered as an error', async () => {
    const served = new Served();
    served.tree.flush(versions(10), []);
    served.loadFailure = new DBError('NOT_SUPPORTED', 'no such module', { cause: new TypeError('why') });
    const answer = await served.run({ kind: 'compaction', compaction: served.tree.plan(0, served.tree.levels[0]!, 1) });
    if (answer.type !== 'failed') throw new Error('the job did not fail');
    const error = fromPlainError(answer.error);
    expect([error.code, error.message, (error.cause as Error).message]).toEqual([
      'NOT_SUPPORTED',
      'no such module',
      'TypeError: why',
    ]);
    await served.stop();
  });

  test('errors keep what a caller acts on, and others become IO_ERROR', () => {
    const error = new DBError('NO_SPACE', 'disk full', { severity: 'hard', retryable: true });
    const back = fromPlainError(structuredClone(toPlainError(error)));
    expect([back.code, back.message, back.severity, back.retryable]).toEqual(['NO_SPACE', 'disk full', 'hard', true]);
    expect(toPlainError(new RangeError('kernel memory exhausted'))).toMatchObject({
      code: 'IO_ERROR',
      message: 'RangeError: kernel memory exhausted',
    });
  });

  test('jobs travel with bytes of their own, not with the buffers that their keys were cut from', () => {
    const tree = new SmallTree();
    tree.flush(versions(10), []);
    const plan = tree.plan(0, tree.levels[0]!, 1);
    const large = new Uint8Array(1 << 16);
    const file = { ...plan.inputs[0]!.files[0]!, smallest: large.subarray(0, 12) };
    const own = withOwnBytes({ kind: 'compaction', compaction: { ...plan, inputs: [{ level: 0, files: [file] }] } });
    if (own.kind !== 'compaction') throw new Error('another kind of job');
    expect(own.compaction.inputs[0]!.files[0]!.smallest.buffer.byteLength).toBe(12);
  });
});
