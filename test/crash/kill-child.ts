/**
 * The process that dies: opens the database it is told, works through its stream and reports each write before it is
 * issued and after it is acknowledged, on file descriptor 3. It never judges itself.
 */

import { writeSync } from 'node:fs';
import { killingFileSystem } from '../../src/env/fault-injection-file-system.ts';
import { DB, Env, type Snapshot, WriteBatch } from '../../src/index.ts';
import { addToBatch } from '../model/operation.ts';
import { OPTION_SETS, openOptions } from '../model/option-sets.ts';
import { type ChildEvent, type ChildOrders, formatEvent } from './kill-protocol.ts';
import { OperationStream, type Step } from './operation-stream.ts';

const REPORT_FD = 3;
const orders = JSON.parse(process.argv[2] ?? '') as ChildOrders;
const optionSet = OPTION_SETS.find((set) => set.name === orders.optionSet)!;

function report(event: ChildEvent): void {
  writeSync(REPORT_FD, formatEvent(event));
}

const env = orders.killAt === undefined ? Env.default : new Env({ fileSystem: killingFileSystem(orders.killAt) });

function open(): Promise<DB> {
  return DB.open(orders.path, openOptions(optionSet, { manualWalFlush: orders.mode === 'manualWalFlush', env }));
}

/** Writes under way and the numbers that are issued. */
class Worker {
  private db: DB;
  private issued = 0;
  private readonly pending = new Set<Promise<void>>();
  private readonly snapshots: Snapshot[] = [];

  constructor(db: DB) {
    this.db = db;
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'write':
        this.write(step);
        if (this.pending.size >= orders.inFlight) {
          await Promise.race(this.pending);
        }
        break;
      case 'flush':
        await this.durable((db) => db.flush());
        break;
      case 'syncWal':
        await this.durable((db) => (orders.mode === 'manualWalFlush' ? db.flushWal(true) : db.syncWal()));
        break;
      case 'compact':
        await this.db.compactRange();
        break;
      case 'snapshot':
        this.snapshots.push(this.db.snapshot());
        if (this.snapshots.length > 3) {
          this.snapshots.shift()?.release();
        }
        break;
      case 'reopen':
        await this.close();
        this.db = await open();
        break;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.pending);
    for (const snapshot of this.snapshots.splice(0)) {
      snapshot.release();
    }
    const last = this.issued;
    await this.db.close();
    // A clean close hands all that was buffered to the operating system.
    report({ kind: 'durable', number: last });
  }

  private write(step: Step & { kind: 'write' }): void {
    const number = ++this.issued;
    const batch = new WriteBatch();
    for (const operation of step.operations) {
      addToBatch(batch, operation);
    }
    report({ kind: 'begun', number });
    const done = this.db.write(batch, { sync: orders.mode === 'sync' }).then(() => {
      this.pending.delete(done);
      report({ kind: 'acknowledged', number });
    });
    this.pending.add(done);
  }

  private async durable(call: (db: DB) => Promise<void>): Promise<void> {
    const number = this.issued;
    await call(this.db);
    report({ kind: 'durable', number });
  }
}

report({ kind: 'starting' });
const worker = new Worker(await open());
report({ kind: 'open' });
const stream = new OperationStream(optionSet, orders.seed);
for (let i = 0; i < orders.steps; i++) {
  await worker.step(stream.next());
}
await worker.close();
report({ kind: 'closed' });
