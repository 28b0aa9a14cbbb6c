/**
 * The tools print what RocksDB's tools print, line by line, and end with the same exit code. Method: recorded sessions of
 * the C++ tools 7.8.3 on copies of the golden databases, replayed with ours (`session.ts` tells their notation).
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ldb } from '../../tools/ldb/ldb.ts';
import { sstDump } from '../../tools/sst-dump/sst-dump.ts';
import { rocksdbToolsInstalled } from '../support/rocksdb-tools.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryCopy, temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess } from './run-in-process.ts';
import { argumentsOf, notationOf, parseSession, printSession, runReference, type Session } from './session.ts';

const FOLDER = join(import.meta.dirname, 'recorded');
// The times of values are printed in local time, here and by the C++ tools.
process.env.TZ = 'UTC';
const rewrite = process.env.PUMICE_REWRITE === '1' && rocksdbToolsInstalled();

/** A copy of the session's database, in a path that is the same length every time. */
function copyFor(session: Session): { path: string } & Disposable {
  if (session.fixture === undefined) return temporaryDirectory();
  return temporaryCopy(join(PROJECT_ROOT, 'test/fixtures', session.fixture, 'db'));
}

function record(session: Session): string[][] {
  using copy = copyFor(session);
  return session.steps.map(({ command, input }) =>
    notationOf(
      runReference(session.tool, argumentsOf(command, copy.path), input.map((line) => `${line}\n`).join('')),
      copy.path,
    ),
  );
}

/** The exit code that ours must end with: 1 where the C++ tool was killed by an assertion of its own. */
function exitCode(lines: readonly string[]): string {
  const code = lines.find((line) => line.startsWith('= ')) ?? '= 0';
  return code === '= SIGABRT' ? '= 1' : code;
}

function standardOutput(lines: readonly string[]): string[] {
  return lines.filter((line) => !/^[!=] /.test(line));
}

describe('recorded sessions', () => {
  for (const name of readdirSync(FOLDER).sort()) {
    const path = join(FOLDER, name);
    let session = parseSession(readFileSync(path, 'utf8'));
    if (rewrite) {
      writeFileSync(path, printSession(session, record(session)));
      session = parseSession(readFileSync(path, 'utf8'));
    }
    const rows = session.head.find((line) => line.startsWith('rows '))?.slice(5) ?? '';
    test(`${rows === '' ? '' : `${rows} `}${name.replace('.txt', '')}`, async () => {
      expect(session.steps.length).toBeGreaterThan(0);
      using copy = copyFor(session);
      for (const { command, input, recorded, differs } of session.steps) {
        const tool = session.tool === 'ldb' ? ldb : sstDump;
        const run = await runInProcess(
          tool,
          argumentsOf(command, copy.path),
          input.map((line) => `${line}\n`).join(''),
        );
        const ours = notationOf(run, copy.path);
        if (differs === undefined) expect(ours, `${name}: ${command}`).toEqual(recorded);
        else if (differs.startsWith('stdout: ')) expect(standardOutput(ours)).toEqual(standardOutput(recorded));
        else expect(exitCode(ours), `${name}: ${command}`).toBe(exitCode(recorded));
      }
    });
  }
});
