/**
 * Every call to the file system failed in turn, in every way, once and for good. Method: the same workload again and
 * again, with the fault one call later each time, until it ends without having met it.
 */

import { afterAll, describe, test } from 'vitest';
import type { Fault } from '../../src/env/fault-injection-file-system.ts';
import { FILE_OPERATION_KINDS, type FileOperationKind } from '../../src/env/file-operation.ts';
import { OPTION_SETS } from '../model/option-sets.ts';
import { seedFor } from '../support/random.ts';
import { type FaultCase, type FaultWorkload, mixedFaultWorkload, runWithFault } from './fault-run.ts';

const SEED = seedFor(41);
const TIMEOUT_MS = 10 * 60_000;
const FAULTS: readonly Fault[] = ['EIO', 'ENOSPC', 'EMFILE', 'EACCES', 'short-write', 'short-read'];

function optionSet(name: string) {
  return OPTION_SETS.find((set) => set.name === name)!;
}

const WORKLOADS: readonly FaultWorkload[] = [
  mixedFaultWorkload('tiny levels', optionSet('tiny levels'), SEED, 30),
  mixedFaultWorkload('atomic flush', optionSet('atomic flush'), SEED + 1, 30),
];

let runs = 0;
let surfaced = 0;
let resumed = 0;

async function sweep(workload: FaultWorkload, kind: Omit<FaultCase, 'nth'>): Promise<void> {
  for (let nth = 1; ; nth++) {
    const faultCase = { ...kind, nth };
    const outcome = await runWithFault(workload, faultCase).catch((error: unknown) => {
      throw new Error(`${error}\n${JSON.stringify(faultCase)}, workload ${workload.name}, seed ${SEED}`, {
        cause: error,
      });
    });
    runs++;
    surfaced += outcome.surfaced ? 1 : 0;
    resumed += outcome.resumed ? 1 : 0;
    if (!outcome.injected) {
      return;
    }
  }
}

/** The calls in which an errno occurs in the world; EIO can come from any but the end of a lock, which is a close. */
const CALLS: Partial<Record<Fault, readonly FileOperationKind[]>> = {
  EIO: FILE_OPERATION_KINDS.filter((kind) => kind !== 'unlock'),
  ENOSPC: ['create', 'append', 'sync', 'directory-sync', 'rename', 'link', 'mkdir'],
  EMFILE: ['open-sequential', 'open-random', 'open-directory', 'create', 'reopen', 'reuse', 'lock'],
  EACCES: ['open-sequential', 'open-random', 'open-directory', 'create', 'reopen', 'rename', 'unlink', 'mkdir', 'list'],
};

const kinds = FAULTS.flatMap((fault) =>
  [false, true].flatMap((sticky) => [
    { fault, sticky, afterEffect: false, ...(CALLS[fault] === undefined ? {} : { kinds: CALLS[fault] }) },
    // Only the errors of a disk can come after the data reached it.
    ...(fault === 'EIO' && !sticky ? [{ fault, sticky, afterEffect: true }] : []),
  ]),
);

describe.each(WORKLOADS.map((workload) => [workload.name, workload] as const))(
  'every call fails: %s',
  (_name, workload) => {
    test.each(kinds.map((kind) => [describeKind(kind), kind] as const))(
      'R5 %s',
      (_kind, kind) => sweep(workload, kind),
      TIMEOUT_MS,
    );
  },
);

function describeKind(kind: Omit<FaultCase, 'nth'>): string {
  return `${kind.fault}${kind.sticky ? ' for good' : ' once'}${kind.afterEffect ? ', after the effect' : ''}`;
}

afterAll(() => {
  process.stdout.write(`faults: ${runs} runs, ${surfaced} told to a caller, ${resumed} resumed without a reopen\n`);
});
