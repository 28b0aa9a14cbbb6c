/** `npm run cache-sim`: hit ratios of the block cache's policies beside the optimum, over made traces or one that is read. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type HitRatios, measureTrace, ratiosTable } from './report.ts';
import { makeTrace, parseTrace, TRACE_KINDS } from './traces.ts';

const { values } = parseArgs({
  options: {
    accesses: { type: 'string', default: '200000' },
    blocks: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    trace: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

function whole(name: 'accesses' | 'blocks' | 'seed', most: number): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 1 && number <= most) return number;
  throw new Error(`--${name} must be a whole number from 1 to ${most}`);
}

function measure(): HitRatios[] {
  if (values.trace !== undefined) return measureTrace('file', parseTrace(readFileSync(values.trace, 'utf8')));
  const options = {
    accesses: whole('accesses', 100_000_000),
    blocks: whole('blocks', 10_000_000),
    seed: whole('seed', Number.MAX_SAFE_INTEGER),
  };
  return TRACE_KINDS.flatMap((kind) => measureTrace(kind, makeTrace(kind, options)));
}

const measured = measure();
process.stdout.write(`${values.json ? JSON.stringify(measured, undefined, 2) : ratiosTable(measured)}\n`);
