/** `npm run bench:styles`: the same overwrites under level and under universal compaction, and what each costs in bytes. */
import { parseArgs } from 'node:util';
import { measureStyle, type StyleCost } from './measure-style.ts';
import { stylesTable } from './styles-table.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      num: { type: 'string', default: '400000' },
      keys: { type: 'string', default: '200000' },
      value_size: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
    },
  });
  const whole = (name: keyof typeof values): number => {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${name} must be a whole number of at least 1`);
    return number;
  };
  const load = { writes: whole('num'), keys: whole('keys'), valueSize: whole('value_size'), seed: whole('seed') };
  const costs: StyleCost[] = [];
  for (const style of ['level', 'universal'] as const) costs.push(await measureStyle(style, load));
  process.stdout.write(`${load.writes} overwrites of ${load.keys} keys, values of ${load.valueSize} bytes\n\n`);
  process.stdout.write(`${stylesTable(costs)}\n`);
}

await main();
