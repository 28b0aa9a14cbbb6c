/**
 * A process that contends for locks, driven by the lock tests: `lock-contender.ts <native|owner> <path>...`. It prints
 * `ready`, waits for a line on its input, tries each path in turn, prints `won <path>` or `<code> <path>`, and holds
 * what it won until its input ends.
 */
import { createInterface } from 'node:readline';
import { DBError } from '../../../format/base/db-error.ts';
import type { FileLock } from '../../../src/env/file-system.ts';
import { NodeFileSystem } from '../../../src/env/node-file-system.ts';

const [kind, ...paths] = process.argv.slice(2);
const fs = new NodeFileSystem({ nativeLocks: kind === 'native' });
const held: FileLock[] = [];

function contend(): void {
  for (const path of paths) {
    try {
      held.push(fs.lockSync(path));
      process.stdout.write(`won ${path}\n`);
    } catch (error) {
      process.stdout.write(`${error instanceof DBError ? error.code : String(error)} ${path}\n`);
    }
  }
  process.stdout.write('done\n');
}

createInterface({ input: process.stdin })
  .once('line', contend)
  .once('close', () => {
    for (const lock of held) lock.releaseSync();
  });
process.stdout.write('ready\n');
