/** The help about flags, made of the same table that they are checked against. */
import type { FlagTable } from './arguments.ts';

const WIDTH = 100;
const INDENT = '      ';

/** Two lines or more for every flag that has a help text. */
export function flagHelp(table: FlagTable): string {
  return Object.entries(table)
    .filter(([, { help }]) => help !== undefined)
    .map(([name, { value, help }]) => `    --${name}${value === undefined ? '' : `=${value}`}\n${wrap(help!)}\n`)
    .join('');
}

function wrap(text: string): string {
  let lines = '';
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > WIDTH) {
      lines += `${INDENT}${line}\n`;
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return `${lines}${INDENT}${line}\n`;
}
