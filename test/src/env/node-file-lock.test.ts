/**
 * Who may hold LOCK beside whom: the same process, a path through a symbolic link, another thread, another process, a
 * killed process, and C++ RocksDB. Method: real processes on a real directory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DBError } from '../../../format/base/db-error.ts';
import { NodeFileSystem } from '../../../src/env/node-file-system.ts';
import { runTool, testWithTools } from '../../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const CONTENDER = fileURLToPath(new URL('./lock-contender.ts', import.meta.url));

/** A child process and the lines it prints. */
class Contender {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, args: string[]) {
    this.process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const next = await this.#lines.next();
    return next.done === true ? 'ended' : next.value;
  }

  async linesUntil(last: string): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.line(); line !== last && line !== 'ended'; line = await this.line()) lines.push(line);
    return lines;
  }

  say(text: string): void {
    this.process.stdin!.write(text);
  }

  async end(signal?: NodeJS.Signals): Promise<void> {
    const exited = once(this.process, 'exit');
    if (signal === undefined) this.process.stdin!.end();
    else this.process.kill(signal);
    await exited;
  }
}

async function contender(kind: 'native' | 'owner', paths: string[]): Promise<Contender> {
  const child = new Contender(process.execPath, ['--import', 'tsx', CONTENDER, kind, ...paths]);
  expect(await child.line()).toBe('ready');
  return child;
}

function refusalOf(call: () => unknown): DBError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(DBError);
    return error as DBError;
  }
  throw new Error('the lock should have been refused');
}

test('a second open through a symbolic link is refused and does not break the first lock', () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/real`;
  fs.mkdirSync(path);
  fs.symlinkSync(path, `${directory.path}/alias`);
  const held = new NodeFileSystem().lockSync(`${path}/LOCK`);
  for (let i = 0; i < 3; i++) {
    const refusal = refusalOf(() => new NodeFileSystem().lockSync(`${directory.path}/alias/LOCK`));
    expect(refusal.code).toBe('LOCKED');
    expect(refusal.message).toMatch(/^lock hold by current process, acquire time \d{10} acquiring thread \d+: /);
  }
  held.releaseSync();
  new NodeFileSystem().lockSync(`${directory.path}/alias/LOCK`).releaseSync();
});

test('LOCK that is a symbolic link is refused', () => {
  using directory = temporaryDirectory();
  fs.writeFileSync(`${directory.path}/canary`, 'canary');
  fs.symlinkSync(`${directory.path}/canary`, `${directory.path}/LOCK`);
  expect(refusalOf(() => new NodeFileSystem().lockSync(`${directory.path}/LOCK`)).code).toBe('IO_ERROR');
  expect(fs.readFileSync(`${directory.path}/canary`, 'utf8')).toBe('canary');
});

test.each(['native', 'owner'] as const)(
  'another process is refused, and gets the lock after kill -9 (%s)',
  async (kind) => {
    using directory = temporaryDirectory();
    const path = `${directory.path}/LOCK`;
    const nodeFs = new NodeFileSystem({ nativeLocks: kind === 'native' });
    const held = nodeFs.lockSync(path);
    const refused = await contender(kind, [path]);
    refused.say('go\n');
    expect(await refused.line()).toBe(`LOCKED ${path}`);
    await refused.end();
    held.releaseSync();

    const other = await contender(kind, [path]);
    other.say('go\n');
    expect(await other.line()).toBe(`won ${path}`);
    const refusal = refusalOf(() => nodeFs.lockSync(path));
    expect(refusal.code).toBe('LOCKED');
    expect(refusal.message).toBe(`While lock file: ${path}: Resource temporarily unavailable`);
    await other.end('SIGKILL');
    nodeFs.lockSync(path).releaseSync();
    expect(nodeFs.openDescriptors).toBe(0);
  },
);

test.each(['native', 'owner'] as const)('of racing processes exactly one wins each round (%s)', async (kind) => {
  using directory = temporaryDirectory();
  const paths = Array.from({ length: 40 }, (_, i) => `${directory.path}/${i}`);
  // Every second round starts from what a killed owner left.
  for (const [i, path] of paths.entries()) {
    if (kind === 'owner' && i % 2 === 0) fs.writeFileSync(`${path}.owner`, '4194999-17');
  }
  const children = await Promise.all(Array.from({ length: 5 }, () => contender(kind, paths)));
  for (const child of children) child.say('go\n');
  const lines = (await Promise.all(children.map((child) => child.linesUntil('done')))).flat();
  const winners = paths.map((path) => lines.filter((line) => line === `won ${path}`).length);
  expect(winners).toEqual(paths.map(() => 1));
  expect(lines.filter((line) => line.startsWith('LOCKED ')).length).toBe(paths.length * 4);
  await Promise.all(children.map((child) => child.end()));
});

test('a deleted LOCK is locked anew under its name', () => {
  using directory = temporaryDirectory();
  const nodeFs = new NodeFileSystem();
  const first = nodeFs.lockSync(`${directory.path}/LOCK`);
  fs.unlinkSync(`${directory.path}/LOCK`);
  const second = nodeFs.lockSync(`${directory.path}/LOCK`);
  expect(refusalOf(() => nodeFs.lockSync(`${directory.path}/LOCK`)).code).toBe('LOCKED');
  first.releaseSync();
  expect(refusalOf(() => nodeFs.lockSync(`${directory.path}/LOCK`)).code).toBe('LOCKED');
  second.releaseSync();
});

test('an owner file that nobody of us wrote is not removed', () => {
  using directory = temporaryDirectory();
  fs.writeFileSync(`${directory.path}/LOCK.owner`, 'somebody');
  const nodeFs = new NodeFileSystem({ nativeLocks: false });
  expect(refusalOf(() => nodeFs.lockSync(`${directory.path}/LOCK`)).code).toBe('LOCKED');
  expect(fs.readFileSync(`${directory.path}/LOCK.owner`, 'utf8')).toBe('somebody');
});

test.each([true, false])('capabilities say who sees the lock (native: %s)', (nativeLocks) => {
  const expected = nativeLocks && process.platform === 'linux' ? 'ofd' : 'advisory';
  expect(new NodeFileSystem({ nativeLocks }).caps.locks).toBe(expected);
});

testWithTools('C++ RocksDB is refused while we hold the lock', () => {
  using directory = temporaryDirectory();
  const put = ['put', 'a', 'b'];
  expect(runTool('ldb', [`--db=${directory.path}`, '--create_if_missing', ...put]).code).toBe(0);
  const held = new NodeFileSystem().lockSync(`${directory.path}/LOCK`);
  const refused = runTool('ldb', [`--db=${directory.path}`, ...put]);
  expect(`${refused.out}${refused.err}`).toContain('LOCK: Resource temporarily unavailable');
  held.releaseSync();
  expect(runTool('ldb', [`--db=${directory.path}`, ...put]).out).toContain('OK');
});

testWithTools.each(['native', 'owner'] as const)(
  'we are refused while C++ RocksDB holds the lock (%s)',
  async (kind) => {
    using directory = temporaryDirectory();
    expect(runTool('ldb', [`--db=${directory.path}`, '--create_if_missing', 'put', 'a', 'b']).code).toBe(0);
    const ldb = new Contender('ldb', [`--db=${directory.path}`, 'query']);
    ldb.say('get a\n');
    await ldb.line();
    const nodeFs = new NodeFileSystem({ nativeLocks: kind === 'native' });
    expect(refusalOf(() => nodeFs.lockSync(`${directory.path}/LOCK`)).message).toBe(
      `While lock file: ${directory.path}/LOCK: Resource temporarily unavailable`,
    );
    await ldb.end('SIGKILL');
    nodeFs.lockSync(`${directory.path}/LOCK`).releaseSync();
  },
);
