/**
 * Presets and their page. Method: docs/presets.md is read table by table and compared with the presets; small runs of
 * db_bench under each compare what they make of one load: blocks that storage was asked for, bytes written. No times.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BlockCache } from '../../src/index.ts';
import { defaultText, PRESETS, valueText } from '../support/preset-text.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { runDbBench } from './run-db-bench.ts';

const PAGE = readFileSync(join(PROJECT_ROOT, 'docs/presets.md'), 'utf8');

/** The rows of the first table under a heading, without its head. */
function tableUnder(heading: string): string[][] {
  const section = PAGE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test.each(Object.keys(PRESETS))('S5 S11 docs/presets.md lists what %s changes, and nothing else', (name) => {
  const options = PRESETS[name]!();
  const expected = Object.entries(options).map(([option, value]) => [
    `\`${option}\``,
    defaultText(option),
    valueText(option, value),
  ]);
  expect(tableUnder(name)).toEqual(expected);
  (options.blockCache as BlockCache | undefined)?.close();
});

test('S5 S11 the page has a section for every preset and for no other', () => {
  const headings = [...PAGE.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
  expect(headings.filter((name) => /^[a-z]/.test(name!))).toEqual(Object.keys(PRESETS));
});

interface Work {
  /** Blocks that storage was asked for, an operation. */
  misses: number;
  /** Data blocks looked into, an operation. */
  blocks: number;
  writeAmplification: number;
}

/** What the last workload of a run costs. Memtables are small, so that a small load reaches the tables. */
async function workOf(preset: string, benchmarks: string, ...more: string[]): Promise<Work> {
  const { code, out, err } = await runDbBench(
    '--mem_env',
    '--json',
    '--statistics',
    '--compression_type=none',
    '--write_buffer_size=262144',
    '--target_file_size_base=262144',
    '--max_bytes_for_level_base=1048576',
    ...(preset === '' ? [] : [`--preset=${preset}`]),
    `--benchmarks=${benchmarks}`,
    ...more,
  );
  expect(err.replace(/^(?!db_bench:).*$/gm, '').trim()).toBe('');
  expect(code).toBe(0);
  const { results, final, statistics } = JSON.parse(out) as {
    results: { operations: number; blocksPerOp: number }[];
    final: { writeAmplification: number };
    statistics: string;
  };
  const last = results.at(-1)!;
  const misses = Number(/^rocksdb\.block\.cache\.miss COUNT : (\d+)/m.exec(statistics)![1]) / last.operations;
  return { misses, blocks: last.blocksPerOp, writeAmplification: final.writeAmplification };
}

describe('S11 what the presets cost at the loads they are made for', () => {
  const names = ['', 'pointLookup', 'updateHeavy', 'mixed'];

  async function workOfAll(benchmarks: string, ...more: string[]): Promise<Map<string, Work>> {
    const work = new Map<string, Work>();
    for (const name of names) work.set(name, await workOf(name, benchmarks, ...more));
    process.stdout.write(`S11 ${benchmarks}: ${JSON.stringify(Object.fromEntries(work))}\n`);
    return work;
  }

  test('S11 random reads ask storage least under pointLookup', async () => {
    const work = await workOfAll('fillrandom,readrandom', '--num=15000', '--value_size=1000', '--reads=30000');
    const least = work.get('pointLookup')!.misses;
    for (const [name, { misses }] of work) if (name !== 'pointLookup') expect(least, name).toBeLessThan(misses);
  });

  test('S11 updates write least under updateHeavy', async () => {
    const work = await workOfAll('fillrandom,updaterandom', '--num=15000', '--value_size=100', '--reads=60000');
    const least = work.get('updateHeavy')!.writeAmplification;
    for (const [name, { writeAmplification }] of work) {
      if (name !== 'updateHeavy') expect(least, name).toBeLessThan(writeAmplification);
    }
  });

  test('S11 reads and writes in turn look into less than half as many blocks under mixed as by default', async () => {
    const more = ['--num=15000', '--value_size=100', '--reads=40000', '--readwritepercent=50'];
    const work = await workOfAll('fillrandom,readrandomwriterandom', ...more);
    expect(work.get('mixed')!.blocks).toBeLessThan(work.get('')!.blocks / 2);
  });
});

test.each(['pointLookup', 'updateHeavy', 'mixed'])('S11 its three workloads run under %s', async (preset) => {
  const { code, out } = await runDbBench(
    '--mem_env',
    '--num=2000',
    '--threads=2',
    `--preset=${preset}`,
    '--benchmarks=readrandomwriterandom,updaterandom,readwhilewriting',
  );
  expect(code).toBe(0);
  for (const name of ['readrandomwriterandom', 'updaterandom', 'readwhilewriting']) {
    expect(out).toMatch(new RegExp(`^${name} +: +\\d`, 'm'));
  }
});
