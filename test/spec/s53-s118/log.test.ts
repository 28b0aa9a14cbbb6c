/** The LOG of a database: what stands in it, and when it is rolled. */

import { describe, expect, test } from 'vitest';
import { DB, Env, ManualClock, MemoryFileSystem, Statistics } from '../../../src/index.ts';
import { eventsOf } from '../../support/event-log.ts';
import { numbered, quietOptions } from './file-counting.ts';

async function linesOf(fileSystem: MemoryFileSystem, name = 'LOG'): Promise<string[]> {
  const path = `/db/${name}`;
  const file = await fileSystem.openRandom(path);
  const { size } = await fileSystem.stat(path);
  const bytes = new Uint8Array(size);
  await file.read(bytes, 0);
  await file.close();
  return Buffer.from(bytes).toString().split('\n');
}

describe('S64 LOG', () => {
  test('S64 has the options, a line for each start and end of a job, and no bytes of the user', async () => {
    const fileSystem = new MemoryFileSystem();
    const env = new Env({ fileSystem });
    const db = await DB.open('/db', quietOptions({ env, targetFileSizeBase: 12_345_678 }));
    for (let table = 0; table < 3; table++) {
      for (let i = 0; i < 100; i++) db.putSync(numbered('SECRETKEY', i), `SECRETVALUE${table}`);
      await db.flush();
    }
    await db.compactRange();
    await db.close();
    const lines = await linesOf(fileSystem);
    expect(lines.some((line) => line.endsWith('Options: target_file_size_base=12345678'))).toBe(true);
    expect(lines.some((line) => line.endsWith('Shutdown complete'))).toBe(true);
    for (const line of lines.filter((each) => each !== '' && !each.startsWith('  '))) {
      expect(line).toMatch(/^\d{4}\/\d\d\/\d\d-\d\d:\d\d:\d\d\.\d{6} \d+ /);
    }
    const events = eventsOf(lines);
    const named = (event: string): Record<string, unknown>[] => events.filter((each) => each.event === event);
    expect(named('flush_started')).toHaveLength(3);
    expect(named('flush_finished')).toHaveLength(3);
    expect(named('compaction_started')).toHaveLength(1);
    const [compaction] = named('compaction_finished');
    expect(compaction).toMatchObject({
      cf_name: 'default',
      inputLevel: 0,
      outputLevel: 1,
      inputRecords: 300,
      outputRecords: 100,
    });
    expect(compaction!.bytesRead).toBe(named('compaction_started')[0]!.input_data_size);
    expect(compaction!.lsm_state).toEqual([0, 1, 0, 0, 0, 0, 0]);
    const jobs = [...named('flush_finished'), ...named('compaction_finished')].map(({ job }) => job);
    expect(new Set(jobs).size).toBe(4);
    for (const event of events) expect(Number.isSafeInteger(event.time_micros)).toBe(true);
    expect(lines.join('\n')).not.toContain('SECRET');
  });

  test('S64 reports the work done every statsDumpPeriodSec seconds', async () => {
    const clock = new ManualClock();
    const fileSystem = new MemoryFileSystem({ clock });
    const env = new Env({ fileSystem, clock });
    const db = await DB.open('/db', quietOptions({ env, statsDumpPeriodSec: 60, statistics: new Statistics() }));
    await db.put('key', 'value');
    const reports = async (): Promise<number> => {
      // Lines gather for a moment before they are written.
      clock.advance(1000);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return (await linesOf(fileSystem)).filter((line) => line.includes('DUMPING STATS')).length;
    };
    expect(await reports()).toBe(0);
    clock.advance(60_000);
    expect(await reports()).toBe(1);
    clock.advance(60_000);
    expect(await reports()).toBe(2);
    await db.close();
    const text = (await linesOf(fileSystem)).join('\n');
    expect(text).toContain('Cumulative writes: 1 writes, 1 keys');
    expect(text).toContain('** Compaction Stats [default] **');
    expect(text).toContain('rocksdb.number.keys.written COUNT : 1');
    clock.advance(600_000);
    await expect(DB.open('/db', quietOptions({ env, statsDumpPeriodSec: -1 }))).rejects.toThrow(/statsDumpPeriodSec/);
  });
});

describe('S65 LOG is rolled', () => {
  async function logsAfter(days: number, keepLogFileNum: number): Promise<{ old: string[]; lines: string[] }> {
    const clock = new ManualClock();
    const fileSystem = new MemoryFileSystem({ clock });
    const env = new Env({ fileSystem, clock });
    const options = quietOptions({ env, logFileTimeToRoll: 86_400, keepLogFileNum, statsDumpPeriodSec: 0 });
    const db = await DB.open('/db', options);
    for (let day = 0; day < days; day++) {
      await db.put('day', `${day}`);
      await db.flush();
      clock.advance(86_400_000 + 1000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await db.close();
    const names = await fileSystem.list('/db');
    return { old: names.filter((name) => name.startsWith('LOG.old.')), lines: await linesOf(fileSystem) };
  }

  test('S65 by time, and the options stand at the head of each', async () => {
    const { old, lines } = await logsAfter(5, 100);
    // Lines gather for a moment: the last roll may come with the close or not at all.
    expect(old.length).toBeGreaterThanOrEqual(3);
    expect(old.length).toBeLessThanOrEqual(5);
    expect(lines.some((line) => line.includes('Options: '))).toBe(true);
  });

  test('S65 old ones go once there are more than keepLogFileNum', async () => {
    const { old } = await logsAfter(8, 3);
    expect(old.length).toBeLessThanOrEqual(3);
    expect(old.length).toBeGreaterThanOrEqual(2);
  });
});
