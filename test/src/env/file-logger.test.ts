/** The LOG file: its lines, its rolling, and that it never stands in a database's way. Method: a clock that is moved by hand. */
import { expect, test } from 'vitest';
import { runAsync, runSync } from '../../../format/base/io.ts';
import { ManualClock } from '../../../src/env/clock.ts';
import { FaultFileSystem } from '../../../src/env/fault-injection-file-system.ts';
import { type FileLoggerOptions, formatLogTime, openFileLogger } from '../../../src/env/file-logger.ts';
import { readWhole } from '../../../src/env/file-operations.ts';
import type { FileSystem } from '../../../src/env/file-system.ts';
import { scopedLogger } from '../../../src/env/logger.ts';
import { MemoryFileSystem } from '../../../src/env/memory-file-system.ts';

const DEFAULTS: FileLoggerOptions = { level: 'info', maxLogFileSize: 0, logFileTimeToRoll: 0, keepLogFileNum: 1000 };

function textOf(fs: FileSystem, name: string): string {
  return new TextDecoder().decode(runSync(readWhole(fs, `/db/${name}`, 1 << 20)));
}

function start(options: Partial<FileLoggerOptions> = {}) {
  const clock = new ManualClock();
  const memory = new MemoryFileSystem({ clock });
  memory.mkdirSync('/db');
  const fs = new FaultFileSystem(memory);
  const open = () => runSync(openFileLogger(fs, clock, '/db', { ...DEFAULTS, ...options }));
  return { clock, fs, open };
}

/** Lets promises go on until nothing is left to do. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

test('a line has time, thread, level and text', async () => {
  const { fs, open } = start({ level: 'debug' });
  const log = open();
  log.info('[flush] started');
  log.warn('slow');
  log.error('bad\nnews');
  log.debug('detail');
  scopedLogger(log, 'db/open').info('opened');
  await log.close();
  const lines = textOf(fs, 'LOG').split('\n');
  const stamp = /^\d{4}\/\d\d\/\d\d-\d\d:\d\d:\d\d\.\d{6} \d+ /;
  expect(lines.every((line) => line === '' || line.startsWith('  ') || stamp.test(line))).toBe(true);
  expect(lines.map((line) => line.replace(stamp, ''))).toEqual([
    '[flush] started',
    '[WARN] slow',
    '[ERROR] bad',
    '  news',
    '[DEBUG] detail',
    '[db/open] opened',
    '',
  ]);
});

test('the time is local and has microseconds', () => {
  const micros = new Date(2026, 10, 22, 1, 35, 8).getTime() * 1000 + 7;
  expect(formatLogTime(micros)).toBe('2026/11/22-01:35:08.000007');
});

test('lines below the level are dropped', async () => {
  const { fs, open } = start({ level: 'warn' });
  const log = open();
  log.info('dropped');
  log.warn('kept');
  await log.close();
  expect(textOf(fs, 'LOG')).toMatch(/^[^\n]*kept\n$/);
});

test('lines gather for a moment, errors do not wait', async () => {
  const { clock, fs, open } = start();
  const log = open();
  log.info('first');
  expect(textOf(fs, 'LOG')).toBe('');
  clock.advance(300);
  await settle();
  expect(textOf(fs, 'LOG')).toContain('first');
  log.error('second');
  await settle();
  expect(textOf(fs, 'LOG')).toContain('second');
  log.closeSync();
});

test('S65 a LOG that is there at open is moved aside, and only the newest are kept', () => {
  const { clock, fs, open } = start({ keepLogFileNum: 3 });
  for (let i = 0; i < 6; i++) {
    const log = open();
    log.info(`opened ${i}`);
    log.closeSync();
    clock.advance(1000);
  }
  const names = fs.listSync('/db');
  expect(names.length).toBe(3);
  expect(names[0]).toBe('LOG');
  expect(names.slice(1).every((name) => /^LOG\.old\.\d{16}$/.test(name))).toBe(true);
  expect(names.map((name) => textOf(fs, name).trim().slice(-1))).toEqual(['5', '3', '4']);
});

test('S65 LOG rolls at a size and after a time, and headers are repeated', async () => {
  const { clock, fs, open } = start({ maxLogFileSize: 1000, logFileTimeToRoll: 3600, keepLogFileNum: 10 });
  const log = open();
  log.header('Pumice version 1');
  log.error('small');
  await settle();
  expect(fs.listSync('/db')).toEqual(['LOG']);
  log.error('x'.repeat(1000));
  await settle();
  log.error('after the size');
  await settle();
  expect(fs.listSync('/db').length).toBe(2);
  expect(textOf(fs, 'LOG')).toMatch(/^[^\n]* Pumice version 1\n[^\n]*after the size\n$/);
  clock.advance(3_599_000);
  log.error('still the same file');
  await settle();
  expect(fs.listSync('/db').length).toBe(2);
  clock.advance(2000);
  log.error('after the time');
  await settle();
  expect(fs.listSync('/db').length).toBe(3);
  expect(textOf(fs, 'LOG')).not.toContain('still the same file');
  await log.close();
});

test('two rolls in one microsecond make two files', () => {
  const { fs, open } = start();
  for (let i = 0; i < 3; i++) open().closeSync();
  expect(fs.listSync('/db').length).toBe(3);
});

test('a LOG that cannot be written loses lines, says so later, and never throws', async () => {
  const { fs, open } = start();
  const log = open();
  log.error('written');
  await settle();
  const fault = fs.inject({ fault: 'ENOSPC', sticky: true });
  for (let i = 0; i < 5; i++) log.error('lost');
  await settle();
  log.error('lost');
  await settle();
  expect(fault.injected).toBeGreaterThan(1);
  fs.clear();
  log.error('back again');
  await settle();
  await log.close();
  const text = textOf(fs, 'LOG');
  expect(text).toContain('back again');
  expect(text).not.toContain('[ERROR] lost');
  expect(text).toMatch(/6 lines were lost/);
});

test('closing without waiting leaves no line and no handle behind', async () => {
  const { fs, open } = start();
  const log = open();
  log.error('under way');
  log.info('the rest');
  log.closeSync();
  log.closeSync();
  log.info('too late');
  await settle();
  expect(textOf(fs, 'LOG').split('\n').length).toBe(3);
  expect((fs.inner as MemoryFileSystem).openDescriptors).toBe(0);
});

test('the promise form opens the same way', async () => {
  const { clock, fs } = start();
  const log = await runAsync(openFileLogger(fs, clock, '/db', DEFAULTS));
  log.info('hello');
  await log.close();
  expect(textOf(fs, 'LOG')).toMatch(/hello\n$/);
});
