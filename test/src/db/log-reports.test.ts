/** Statistics that are written to LOG by the clock. */

import { expect, test } from 'vitest';
import { DB, Env, ManualClock, MemoryFileSystem } from '../../../src/index.ts';

test('a clock that jumps over many periods gets one report of statistics, and the next a period later', async () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const collect = (line: string): void => void lines.push(line);
  const logger = { debug: collect, info: collect, warn: collect, error: collect };
  const env = new Env({ fileSystem: new MemoryFileSystem(), clock });
  await using db = await DB.open('/db', { env, createIfMissing: true, logger, statsDumpPeriodSec: 60 });
  const reports = (): number => lines.filter((line) => line.includes('DUMPING STATS')).length;
  clock.advance(60_000 * 10_000);
  expect(reports()).toBe(1);
  await db.put('a', '1');
  clock.advance(59_000);
  expect(reports()).toBe(1);
  clock.advance(1000);
  expect(reports()).toBe(2);
});

test('LOG says that logs are not recycled, when somebody asks for it', async () => {
  const warnings: string[] = [];
  const logger = { debug: () => {}, info: () => {}, warn: (line: string) => void warnings.push(line), error: () => {} };
  for (const recycleLogFileNum of [0, 4]) {
    await (await DB.open('/db', { env: Env.memory(), createIfMissing: true, logger, recycleLogFileNum })).close();
  }
  expect(warnings.filter((line) => line.includes('recycleLogFileNum'))).toHaveLength(1);
});
