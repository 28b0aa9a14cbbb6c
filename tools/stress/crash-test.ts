/**
 * crash_test: runs db_stress again and again in processes of their own, each of which kills itself at a random moment, and
 * lets the next one check what it left; then one more that ends by itself. What RocksDB's `make crash_test` does.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Flags, type FlagTable, splitArguments } from '../lib/arguments.ts';
import { flagHelp } from '../lib/flag-help.ts';
import { ToolFailure } from '../lib/tool-failure.ts';
import type { ToolStreams } from '../lib/tool-process.ts';
import { STRESS_FLAGS } from './stress-flags.ts';

const CYCLES_DEFAULT = 10;
const KILL_ONE_IN_DEFAULT = 5000;
/** Shapes of a run that alternate, as RocksDB's script draws them. */
const VARIANTS: readonly (readonly string[])[] = [
  [],
  ['--use_merge=1'],
  ['--sync=1', '--ops_per_thread=500'],
  ['--write_buffer_size=65536', '--level0_file_num_compaction_trigger=2'],
];

const CRASH_FLAGS: FlagTable = {
  cycles: { kind: 'integer', value: '<number>', help: `Runs that kill themselves. Default ${CYCLES_DEFAULT}.` },
  duration: { kind: 'integer', value: '<seconds>', help: 'Go on for so long instead.' },
};

/** How a child ended. */
interface ChildEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly text: string;
}

function runChild(args: readonly string[]): Promise<ChildEnd> {
  const main = fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.stderr.on('data', (part: Buffer) => parts.push(part));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, text: Buffer.concat(parts).toString() }));
  });
}

/** Runs the tool; all flags of db_stress are handed on. Returns its exit code. */
export async function crashTest(args: readonly string[], { out, err }: ToolStreams): Promise<number> {
  const { flags: given } = splitArguments(args);
  if (given.some(({ name }) => name === 'help')) {
    out.write(
      `crash_test - db_stress, killed and checked again and again\n\n${flagHelp({ ...CRASH_FLAGS, ...STRESS_FLAGS })}`,
    );
    return 0;
  }
  const own = new Set(Object.keys(CRASH_FLAGS));
  const handedOn = args.filter((argument) => !own.has(argument.replace(/^--/, '').split('=')[0]!));
  const flags = new Flags(given, { ...CRASH_FLAGS, ...STRESS_FLAGS }, ({ name }) => {
    return new ToolFailure(`ERROR: unknown command line flag '${name}'`);
  });
  const path = flags.text('db');
  if (path === undefined) throw new ToolFailure('Error: --db=<directory> must be given');
  const expected = flags.text('expected_values_dir') ?? `${path}-expected`;
  const kill = flags.number('kill_random_test') ?? KILL_ONE_IN_DEFAULT;
  const durationMs = (flags.number('duration') ?? 0) * 1000;
  const cycles = durationMs > 0 ? Number.POSITIVE_INFINITY : (flags.number('cycles') ?? CYCLES_DEFAULT);
  const seed = flags.number('seed') ?? Date.now();
  const endMs = performance.now() + durationMs;
  rmSync(expected, { recursive: true, force: true });
  let killed = 0;
  let cycle = 0;
  for (let last = false; !last; cycle++) {
    last = durationMs > 0 ? performance.now() >= endMs : cycle >= cycles;
    const variant = VARIANTS[cycle % VARIANTS.length]!;
    const end = await runChild([
      ...variant,
      ...handedOn,
      `--expected_values_dir=${expected}`,
      `--seed=${seed + cycle * 1000}`,
      `--kill_random_test=${last ? 0 : kill}`,
    ]);
    if (end.signal === 'SIGKILL') killed++;
    else if (end.code !== 0) {
      err.line(end.text);
      err.line(`Run ${cycle} failed; seed ${seed}`);
      return 1;
    }
    out.line(`Run ${cycle}: ${end.signal === 'SIGKILL' ? 'killed' : 'ended'}${verified(end.text)}`);
    await out.flush();
  }
  out.line(`Crash test passed: ${cycle} runs, ${killed} killed`);
  return 0;
}

/** What the run says of the state that it found. */
function verified(text: string): string {
  const found = /Verification successful: (\d+) keys/.exec(text);
  return found === null ? '' : `, ${found[1]} keys as expected`;
}
