/** S63: any number of processes may read a database at once. Method: processes that all hold it open before one of them reads. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DB } from '../../../src/index.ts';
import { directoryFingerprint } from '../../support/directory-hash.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const READERS = 3;

/** A process that opens the database read-only, says so, and reads when it is told to. */
function startReader(path: string): { opened: Promise<string>; read: () => Promise<string>; kill: () => void } {
  const script = fileURLToPath(new URL('reader-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, path]);
  let text = '';
  let errors = '';
  const waiting: (() => void)[] = [];
  child.stderr.on('data', (bytes) => (errors += bytes));
  child.stdout.on('data', (bytes) => {
    text += bytes;
    while (waiting.length > 0) waiting.shift()!();
  });
  const line = async (number: number): Promise<string> => {
    while (text.split('\n').length <= number + 1) {
      await new Promise<void>((resolve, reject) => {
        waiting.push(resolve);
        child.once('exit', () => reject(new Error(`the reader ended: ${errors}`)));
      });
    }
    return text.split('\n')[number]!;
  };
  return {
    opened: line(0),
    read: () => {
      child.stdin.write('read\n');
      return line(1);
    },
    kill: () => void child.kill(),
  };
}

test('S63 several processes read at once, beside the one that writes, and change nothing', async () => {
  using directory = temporaryDirectory();
  await using db = await DB.open(directory.path, { createIfMissing: true });
  for (let i = 0; i < 2000; i++) await db.put(`key${i}`, `value ${i}`);
  await db.flush();
  await db.put('in the log', 'x');
  // LOG is the writer's own.
  const files = (): string[] => directoryFingerprint(directory.path).filter((line) => !line.startsWith('LOG '));
  const before = files();
  const readers = Array.from({ length: READERS }, () => startReader(directory.path));
  try {
    // All have it open before the first of them reads.
    expect(await Promise.all(readers.map(({ opened }) => opened))).toEqual(Array(READERS).fill('open'));
    const found = await Promise.all(readers.map(({ read }) => read()));
    expect(found).toEqual(Array(READERS).fill('2001 rows, key1234=value 1234'));
    expect(files()).toEqual(before);
  } finally {
    for (const { kill } of readers) kill();
  }
});
