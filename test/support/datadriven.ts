/**
 * Data-driven tests: a text file of commands with what they are expected to print.
 *
 *     # a comment
 *     command argument key=value
 *     input lines
 *     ----
 *     expected output
 *
 * An expected output ends at the first empty line; one with empty lines inside stands between doubled `----` lines. With
 * PUMICE_REWRITE=1 in the environment the file is rewritten with what the commands print; review the difference.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from './source-files.ts';

/** One command of a file. */
export interface DataCommand {
  readonly name: string;
  /** Words without `=`. */
  readonly words: readonly string[];
  /** Words with `=`. */
  readonly settings: ReadonlyMap<string, string>;
  /** The lines between the command and `----`. */
  readonly input: readonly string[];
}

interface Block {
  /** Comments, empty lines and the command as they stand in the file. */
  readonly source: string[];
  readonly command: DataCommand | undefined;
  readonly expected: string;
  readonly line: number;
}

/** Runs the file (a path from the project's root) as one test; `run` returns what a command prints. */
export function testDataFile(path: string, run: (command: DataCommand) => string): void {
  test(path, () => {
    const file = join(PROJECT_ROOT, path);
    const blocks = parse(readFileSync(file, 'utf8'));
    const rewrite = process.env.PUMICE_REWRITE === '1';
    const printed: string[] = [];
    for (const { source, command, expected, line } of blocks) {
      if (!command) {
        printed.push(source.join('\n'));
        continue;
      }
      const output = run(command).replace(/\n+$/, '');
      if (!rewrite) expect(output, `${path}:${line}`).toBe(expected);
      printed.push([...source, ...frame(output)].join('\n'));
    }
    if (rewrite) writeFileSync(file, `${printed.join('\n').replace(/\n+$/, '')}\n`);
  });
}

function frame(output: string): string[] {
  if (output === '') return ['----', ''];
  return output.includes('\n\n') ? ['----', '----', output, '----', '----', ''] : ['----', output, ''];
}

function parse(text: string): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const source: string[] = [];
    const isCommand = (line: string) => line !== '' && !line.startsWith('#');
    while (at < lines.length && !isCommand(lines[at]!)) source.push(lines[at++]!);
    if (at === lines.length) {
      blocks.push({ source, command: undefined, expected: '', line: at });
      break;
    }
    const line = at + 1;
    const input: string[] = [];
    const head = lines[at++]!;
    source.push(head);
    while (at < lines.length && lines[at] !== '----') {
      input.push(lines[at]!);
      source.push(lines[at++]!);
    }
    at++;
    const doubled = lines[at] === '----';
    if (doubled) at++;
    const expected: string[] = [];
    while (at < lines.length && lines[at] !== (doubled ? '----' : '')) expected.push(lines[at++]!);
    at += doubled ? 3 : 1;
    blocks.push({ source, command: parseHead(head, input), expected: expected.join('\n'), line });
  }
  return blocks;
}

function parseHead(head: string, input: readonly string[]): DataCommand {
  const [name = '', ...rest] = head.split(/\s+/);
  const settings = new Map<string, string>();
  for (const word of rest) {
    const at = word.indexOf('=');
    if (at > 0) settings.set(word.slice(0, at), word.slice(at + 1));
  }
  return { name, words: rest.filter((word) => !word.includes('=')), settings, input };
}
