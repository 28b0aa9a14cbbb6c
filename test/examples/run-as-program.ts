/** Lets an example be run by itself: `npx tsx test/examples/queue.ts`. It works in a new directory, which it removes. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whether the module of `moduleUrl` (its `import.meta.url`) is the program, not imported by one. */
export function isProgram(moduleUrl: string): boolean {
  const program = process.argv[1];
  return program !== undefined && realpathSync(program) === realpathSync(fileURLToPath(moduleUrl));
}

/** Runs `main` in an empty directory and prints what it returns, if the module of `moduleUrl` is the program. */
export async function runAsProgram(moduleUrl: string, main: (directory: string) => Promise<unknown>): Promise<void> {
  if (!isProgram(moduleUrl)) return;
  const directory = mkdtempSync(join(tmpdir(), 'pumice-example-'));
  try {
    console.log(await main(directory));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
