/** The line that shows that a long command is at work. */
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Output, type OutputTarget } from '../../../tools/lib/output.ts';
import { runTool, type Tool, type ToolStreams } from '../../../tools/lib/tool-process.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class Collected extends EventEmitter implements OutputTarget {
  text = '';

  write(bytes: Uint8Array): boolean {
    this.text += Buffer.from(bytes).toString('latin1');
    return true;
  }
}

/** What stderr gets while `tool` works at a terminal. */
async function stderrOf(tool: Tool, more: Partial<ToolStreams> = {}): Promise<string> {
  const err = new Collected();
  const streams: ToolStreams = {
    out: new Output(new Collected()),
    err: new Output(err),
    lines: async function* () {},
    interactive: true,
    ...more,
  };
  await runTool(tool, [], streams);
  return err.text;
}

const pause = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

test('a command of three seconds counts them and takes its line away', async () => {
  const text = await stderrOf(async () => {
    await pause(3100);
    return 0;
  });
  expect(text).toBe('\r1 s\r2 s\r3 s\r\x1b[K');
});

test('a quick command writes nothing, and in a script none does', async () => {
  const working = (ms: number): Tool => {
    return async () => {
      await pause(ms);
      return 0;
    };
  };
  expect(await stderrOf(working(900))).toBe('');
  expect(await stderrOf(working(5000), { interactive: false })).toBe('');
});

test('data in a file are counted; data on the terminal speak for themselves', async () => {
  const tool: Tool = async (_args, { out }) => {
    out.write(new Uint8Array(3 << 20));
    await pause(1100);
    return 0;
  };
  expect(await stderrOf(tool)).toBe('\r1 s, 3.0 MiB printed\r\x1b[K');
  expect(await stderrOf(tool, { outIsTerminal: true })).toBe('');
});

test('a message of the tool ends the line, and a failure follows a clean one', async () => {
  const warned = await stderrOf(async (_args, { err }) => {
    await pause(1100);
    err.line('\rwarning');
    await pause(2000);
    return 0;
  });
  expect(warned).toBe('\r1 s\rwarning\n');
  const failed = await stderrOf(async () => {
    await pause(1100);
    throw new Error('no');
  });
  expect(failed.startsWith('\r1 s\r\x1b[KFailed: ')).toBe(true);
});
