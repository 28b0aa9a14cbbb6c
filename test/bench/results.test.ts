/** The work behind bench/results.md. Method: small loads in memory; bytes and blocks are compared with the table, never times. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { benchDocument } from './run-db-bench.ts';

/** A figure may grow by a fifth before that is a regression. */
const GROWTH_MAX = 1.2;

const LOADS: Readonly<Record<string, { fill: string; flags: readonly string[] }>> = {
  bulk: { fill: 'fillseq,flush', flags: ['--disable_auto_compactions=1', '--memtablerep=vector', '--disable_wal=1'] },
  random: { fill: 'fillrandom,flush,waitforcompaction', flags: [] },
};

/** The row of a load in the table under "Work". */
function recorded(load: string): number[] {
  const page = readFileSync(join(PROJECT_ROOT, 'bench/results.md'), 'utf8');
  const line = page.split('\n').find((text) => text.startsWith(`| ${load} `));
  return line!.split('|').slice(2, -1).map(Number);
}

async function measured(load: string): Promise<number[]> {
  const { fill, flags } = LOADS[load]!;
  const { results, final } = await benchDocument(
    '--mem_env',
    '--num=30000',
    '--reads=10000',
    '--compression_type=none',
    '--write_buffer_size=524288',
    '--target_file_size_base=524288',
    '--max_bytes_for_level_base=1048576',
    '--bloom_bits=10',
    ...flags,
    `--benchmarks=${fill},readrandom,readseq`,
  );
  const blocks = (name: string): number => results.find((result) => result.name === name)!.blocksPerOp!;
  return [final.writeAmplification, blocks('readrandom'), blocks('readseq')];
}

test.each(Object.keys(LOADS))('S9 the work of a %s load and of its reads has not grown by a fifth', async (load) => {
  const [now, before] = [await measured(load), recorded(load)];
  process.stdout.write(`S9 ${load}: ${now.map((figure) => figure.toFixed(4)).join(' ')}\n`);
  expect(before.length).toBe(3);
  for (const [i, figure] of now.entries()) {
    expect(figure).toBeGreaterThan(0);
    expect(figure, `figure ${i + 1} of the ${load} load`).toBeLessThanOrEqual(before[i]! * GROWTH_MAX);
  }
});

test('S9 a bulk load writes each byte once', async () => {
  const [written] = await measured('bulk');
  expect(written).toBeGreaterThan(0.9);
  expect(written).toBeLessThan(1.15);
});
