/** Runs a tool inside the test's own process and collects what it prints: much faster than a process each. */
import { EventEmitter } from 'node:events';
import { Output } from '../../tools/lib/output.ts';
import { runTool, type Tool } from '../../tools/lib/tool-process.ts';

/** What a run left behind. Outputs are bytes as characters U+0000..U+00FF, since keys need not be text. */
export interface ToolOutcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

class Collector extends EventEmitter {
  readonly #parts: Uint8Array[] = [];

  write(bytes: Uint8Array): boolean {
    this.#parts.push(bytes);
    return true;
  }

  text(): string {
    return Buffer.concat(this.#parts).toString('latin1');
  }
}

/** Runs the tool to its end; `input` is what it reads from standard input, `interactive` whether somebody watches. */
export async function runInProcess(
  tool: Tool,
  args: readonly string[],
  input = '',
  interactive = false,
): Promise<ToolOutcome> {
  const [out, err] = [new Collector(), new Collector()];
  async function* lines(): AsyncIterable<string> {
    const given = input.split('\n');
    if (given.at(-1) === '') given.pop();
    yield* given;
  }
  const streams = { out: new Output(out), err: new Output(err), lines, interactive };
  const code = await runTool(tool, args, streams);
  return { code, out: out.text(), err: err.text() };
}
