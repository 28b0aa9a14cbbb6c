/** Every workload, by name. */
import type { Workload } from './workload.ts';
import { BYTE_WORK } from './workloads/byte-work.ts';
import { COMPACT } from './workloads/compaction.ts';
import { DELETES } from './workloads/delete.ts';
import { FILLS } from './workloads/fill.ts';
import { QUEUE } from './workloads/queue.ts';
import { READS } from './workloads/read.ts';
import { SCANS } from './workloads/scan.ts';
import { UPDATES } from './workloads/update.ts';
import { WHILE_WRITING } from './workloads/while-writing.ts';

/** All workloads, in the order of the help. */
export const WORKLOADS: ReadonlyMap<string, Workload> = new Map(
  [...FILLS, ...READS, ...SCANS, ...DELETES, ...UPDATES, ...WHILE_WRITING, QUEUE, COMPACT, ...BYTE_WORK].map(
    (workload) => [workload.name, workload],
  ),
);
