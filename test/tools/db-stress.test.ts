/** db_stress itself: that it passes over a sound database, and that nothing unsound gets past it. Method: small runs, planted bugs, real kills. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ABSENT, ExpectedState } from '../../tools/stress/expected-state.ts';
import { runStress } from '../../tools/stress/db-stress.ts';
import { keyNumber, stressKey, stressValue, valueNumber } from '../../tools/stress/stress-entries.ts';
import { checkKey } from '../../tools/stress/verify-database.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess, type ToolOutcome } from './run-in-process.ts';

const KILL_TIMEOUT_MS = 60_000;

function stress(bug: string | undefined, ...args: readonly string[]): Promise<ToolOutcome> {
  const kill = (): void => expect.unreachable('no run in this process may kill it');
  return runInProcess((given, streams) => runStress(given, streams, { kill, bug }), args);
}

const SMALL = ['--seed=11', '--max_key=300', '--ops_per_thread=400', '--threads=4'];

test.each([
  ['level compaction', []],
  ['merges', ['--use_merge=1']],
  ['universal compaction', ['--compaction_style=1', '--write_buffer_size=65536']],
  ['ten copies a batch', ['--test_batches_snapshots=1', '--ops_per_thread=150']],
  [
    'families, flushes, compactions and range deletes',
    [
      '--column_families=3',
      '--flush_one_in=100',
      '--compact_range_one_in=100',
      '--delpercent=12',
      '--delrangepercent=3',
    ],
  ],
])('S128 a sound database passes with %s', async (_, flags) => {
  using directory = temporaryDirectory();
  const { code, out, err } = await stress(
    undefined,
    `--db=${directory.path}/db`,
    ...SMALL,
    ...(flags as string[]),
    '--reopen=2',
  );
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(out).toContain('Reopened the database 2 of 2 times\n');
  expect(out).toMatch(/Verification successful: [1-9]\d* keys\n$/);
});

test.each(['lost-write', 'lost-delete', 'torn-batch', 'stale-read'])(
  'S128 a planted bug is caught: %s',
  async (bug) => {
    using directory = temporaryDirectory();
    const batches = bug === 'torn-batch' ? ['--test_batches_snapshots=1'] : [];
    const run = await stress(bug, `--db=${directory.path}/db`, ...SMALL, '--ops_per_thread=1000', ...batches);
    expect(run.code).toBe(1);
    expect(run.err).toMatch(/^Verification failed: (key|copies) .*\(seed 11\)\n$/);
  },
);

test('S128 a later run checks what an earlier one left, and sees a key that is gone', async () => {
  using directory = temporaryDirectory();
  const place = [`--db=${directory.path}/db`, `--expected_values_dir=${directory.path}/expected`];
  expect((await stress(undefined, ...place, ...SMALL)).code).toBe(0);
  const again = await stress(undefined, ...place, ...SMALL, '--seed=12');
  expect(again.code).toBe(0);
  expect(again.out.match(/Verification successful/g)).toHaveLength(2);
  // An expected state over another database: nothing that it asks for is there.
  const other = await stress(undefined, ...place, `--db=${directory.path}/other`, ...SMALL);
  expect(other.code).toBe(1);
  expect(other.err).toContain('found no value');
});

test(
  'S128 writes survive a process that kills itself again and again',
  () => {
    using directory = temporaryDirectory();
    const program = join(PROJECT_ROOT, 'tools/stress/crash-main.ts');
    const run = spawnSync(
      join(PROJECT_ROOT, 'node_modules/.bin/tsx'),
      [
        program,
        `--db=${directory.path}/db`,
        '--cycles=2',
        '--kill_random_test=300',
        '--seed=5',
        '--max_key=200',
        '--ops_per_thread=400',
        '--threads=4',
      ],
      { encoding: 'utf8' },
    );
    expect(run.stderr).toBe('');
    expect(run.stdout).toMatch(/^Run 0: killed\nRun 1: killed, [1-9]\d* keys as expected\nRun 2: ended, [1-9]\d* keys/);
    expect(run.status).toBe(0);
  },
  KILL_TIMEOUT_MS,
);

test('the expected state outlives its process, writes under way included', () => {
  using directory = temporaryDirectory();
  {
    using state = new ExpectedState(3, directory.path, false);
    expect(state.restored).toBe(false);
    state.begin(0, 7);
    state.commit(0);
    state.begin(1, 8);
  }
  using state = new ExpectedState(3, directory.path, false);
  expect(state.restored).toBe(true);
  expect([0, 1, 2].map((key) => [state.settled(key), state.pending(key)])).toEqual([
    [7, 7],
    [ABSENT, 8],
    [ABSENT, ABSENT],
  ]);
  expect(() => checkKey(state, 0, 6, true, 'get')).toThrow('key 0 read by get: expected value 7, found value 6');
  expect(() => checkKey(state, 1, 8, false, 'get')).toThrow('expected no value, found value 8');
  checkKey(state, 1, 8, true, 'get');
  expect(state.settled(1)).toBe(8);
  expect(() => new ExpectedState(4, directory.path, false)).toThrow('other --max_key or --column_families?');
});

test('a value proves its number and its key byte for byte', () => {
  const bytes = stressValue(5, 61, 8);
  expect(valueNumber(5, bytes, 8)).toBe(61);
  expect(valueNumber(6, bytes, 8)).toBeUndefined();
  bytes[1000] = bytes[1000]! ^ 1;
  expect(valueNumber(5, bytes, 8)).toBeUndefined();
  expect(valueNumber(5, bytes.subarray(0, 3), 8)).toBeUndefined();
  expect([0, 1, 255, 256, 2 ** 40].map((number) => keyNumber(stressKey(number, 3)))).toEqual([0, 1, 255, 256, 2 ** 40]);
});

test('flags that make no sense are refused', async () => {
  const refusal = async (...flags: string[]): Promise<string> => (await stress(undefined, '--db=x', ...flags)).err;
  expect(await refusal('--nosuch=1')).toBe("ERROR: unknown command line flag 'nosuch'\n");
  expect(await refusal('--readpercent=50')).toContain('percents != 100!');
  expect(await refusal('--compaction_style=2')).toContain('FIFO drops data');
  expect(await refusal('--disable_wal=1')).toContain('--disable_wal=1 is not supported');
  expect(await refusal('--max_key=0')).toContain('--max_key must be at least 1');
  expect((await stress('nosuch', '--db=x')).err).toContain('PUMICE_STRESS_BUG=nosuch is none of');
});
