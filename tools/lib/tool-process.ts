/**
 * The frame of every tool: its streams, its exit code, and what happens when it fails or nobody reads its output any
 * more. Tools themselves never touch `process`.
 */
import { createInterface } from 'node:readline';
import { ElapsedLine } from './elapsed-line.ts';
import { Output } from './output.ts';
import { statusText } from './status-text.ts';
import { ToolFailure } from './tool-failure.ts';

/** What a tool has of the world besides files. */
export interface ToolStreams {
  readonly out: Output;
  readonly err: Output;
  /** Lines of standard input, without their ends; read once. */
  lines(): AsyncIterable<string>;
  /** Whether progress may be shown on stderr: somebody sits at a terminal. */
  readonly interactive: boolean;
  /** Whether standard output is a terminal, where data shows by itself that something moves. */
  readonly outIsTerminal?: boolean;
}

/** A tool: takes its arguments, returns its exit code. */
export type Tool = (args: readonly string[], streams: ToolStreams) => Promise<number>;

/** What a shell reports for a process that wrote into a closed pipe. */
const EXIT_BROKEN_PIPE = 141;

/** Runs a tool and turns what it throws into one line on stderr and an exit code. */
export async function runTool(tool: Tool, args: readonly string[], streams: ToolStreams): Promise<number> {
  let code: number;
  const elapsed = new ElapsedLine(streams);
  elapsed.start();
  try {
    code = await tool(args, streams);
    elapsed.stop();
  } catch (error) {
    elapsed.stop();
    if (error instanceof ToolFailure) {
      if (error.message !== '') streams.err.line(error.message);
      code = error.exitCode;
    } else {
      streams.err.line(`Failed: ${statusText(error)}`);
      code = 1;
    }
  }
  await streams.out.flush();
  await streams.err.flush();
  return code;
}

/** Runs a tool as this process: its arguments, streams and exit code. */
export async function runAsProcess(tool: Tool): Promise<void> {
  const quitOnBrokenPipe = (error: NodeJS.ErrnoException): void => {
    process.exit(error.code === 'EPIPE' ? EXIT_BROKEN_PIPE : 1);
  };
  process.stdout.on('error', quitOnBrokenPipe);
  process.stderr.on('error', quitOnBrokenPipe);
  process.exitCode = await runTool(tool, process.argv.slice(2), {
    out: new Output(process.stdout),
    err: new Output(process.stderr),
    lines: () => createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }),
    interactive: process.stderr.isTTY === true,
    outIsTerminal: process.stdout.isTTY === true,
  });
}
