/**
 * Recorded sessions: a text file of commands with what the C++ tool printed for each, on a copy of a golden database.
 *
 *     # what it shows
 *     tool ldb
 *     fixture fv5
 *
 *     > --db=$DB get nokey          a command; $DB is the copy, '…' keeps blanks together
 *     < line of standard input
 *     line of standard output
 *     ! line of standard error
 *     = 1                           the exit code where it is not 0
 *
 * A line `~ reason` before a command: ours differs for that reason, only the exit code must agree; with `~ stdout: reason`
 * it is standard output that must agree. With PUMICE_REWRITE=1
 * the C++ tool is asked again and the files are written anew.
 */
import { spawnSync } from 'node:child_process';

/** One command of a session. */
export interface SessionStep {
  readonly comments: readonly string[];
  /** Why ours differs; `undefined`: it does not. */
  readonly differs: string | undefined;
  readonly command: string;
  readonly input: readonly string[];
  /** What was recorded: lines of both outputs and of the exit code, in the file's notation. */
  readonly recorded: readonly string[];
}

/** One file. */
export interface Session {
  readonly tool: 'ldb' | 'sst_dump';
  readonly fixture: string | undefined;
  readonly head: readonly string[];
  readonly steps: readonly SessionStep[];
}

/** Parses a session file. */
export function parseSession(text: string): Session {
  const [head, ...blocks] = text.replace(/\n$/, '').split(/\n\n(?=(?:[#~].*\n)*> )/);
  const headLines = head!.split('\n');
  const word = (name: string): string | undefined =>
    headLines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  return {
    tool: word('tool') as Session['tool'],
    fixture: word('fixture'),
    head: headLines,
    steps: blocks.map(parseStep),
  };
}

function parseStep(block: string): SessionStep {
  const lines = block.split('\n');
  const at = lines.findIndex((line) => line.startsWith('> '));
  const before = lines.slice(0, at);
  const rest = lines.slice(at + 1);
  const inputs = rest.findIndex((line) => !line.startsWith('< '));
  const split = inputs < 0 ? rest.length : inputs;
  return {
    comments: before.filter((line) => line.startsWith('#')),
    differs: before.find((line) => line.startsWith('~ '))?.slice(2),
    command: lines[at]!.slice(2),
    input: rest.slice(0, split).map((line) => line.slice(2)),
    recorded: rest.slice(split),
  };
}

/** The file's text with other results. */
export function printSession(session: Session, results: readonly (readonly string[])[]): string {
  const steps = session.steps.map(({ comments, differs, command, input }, index) =>
    [
      ...comments,
      ...(differs === undefined ? [] : [`~ ${differs}`]),
      `> ${command}`,
      ...input.map((line) => `< ${line}`),
      ...results[index]!,
    ].join('\n'),
  );
  return `${[session.head.join('\n'), ...steps].join('\n\n')}\n`;
}

/** The arguments of a command, with the copy's path put in. */
export function argumentsOf(command: string, directory: string): string[] {
  const words = command.match(/(?:'[^']*'|[^\s'])+/g) ?? [];
  return words.map((word) => word.replaceAll("'", '').replaceAll('$DB', directory));
}

/** What a run left, in the file's notation. Outputs are bytes as characters; what varies from run to run is named. */
export function notationOf(run: { code: number | string; out: string; err: string }, directory: string): string[] {
  const lines = (text: string, mark: string): string[] => {
    if (text === '') return [];
    const shown = escapeBytes(text.replaceAll(directory, '$DB')).replace(/\n$/, '').split('\n');
    return shown.map((line) => mark + stable(line));
  };
  return [
    ...lines(run.out, '').map((line) => (/^(?:[<>#=!~] |$)/.test(line) ? `\\${line}` : line)),
    ...lines(run.err, '! '),
    ...(run.code === 0 ? [] : [`= ${run.code}`]),
  ];
}

function stable(line: string): string {
  return line
    .replace(/^options\.env is 0x[0-9a-f]+$/, 'options.env is ENV')
    .replace(/Time Taken: +\d+ microsecs/, 'Time Taken: N microsecs');
}

function escapeBytes(text: string): string {
  return text.replace(/[^\n\t\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Runs the C++ tool. */
export function runReference(
  tool: Session['tool'],
  args: readonly string[],
  input: string,
): { code: number | string; out: string; err: string } {
  const result = spawnSync(tool, args, { encoding: 'latin1', input, maxBuffer: 256 << 20 });
  return { code: result.signal ?? result.status ?? -1, out: result.stdout, err: result.stderr };
}
