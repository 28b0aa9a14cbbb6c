/** Forgets an iterator, an iteration and a snapshot, and has the garbage collected; prints the warnings. Run with --expose-gc. */
import { existsSync, readdirSync } from 'node:fs';
import { DB } from '../../../src/index.ts';

const path = process.argv[2]!;
const db = await DB.open(path, { createIfMissing: true, writeBufferSize: 1 << 16 });
const warnings: unknown[] = [];
process.on('warning', (warning) => {
  const { code, detail, message } = warning as Error & { code?: string; detail?: string };
  if (code?.startsWith('PUMICE_')) warnings.push({ code, detail, message });
});

function forgetIterator(): void {
  db.newIterator().seekToFirstSync();
}

function forgetSnapshot(): void {
  db.snapshot();
}

async function forgetEntries(): Promise<void> {
  await db.entries().next();
}

function tableCount(): number {
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.sst')).length : 0;
}

for (let i = 0; i < 500; i++) await db.put(`key${i}`, 'value');
await db.flush();
const kept = db.newIterator();
const closed = db.newIterator();
forgetIterator();
forgetSnapshot();
await forgetEntries();
closed.close();
for (let i = 0; i < 500; i++) await db.delete(`key${i}`);
await db.compactRange();
const tablesWhileOpen = tableCount();
kept.close();
for (let i = 0; i < 200 && (warnings.length < 3 || tableCount() > 0); i++) {
  (globalThis as { gc?: () => void }).gc!();
  await new Promise((resolve) => setTimeout(resolve, 5));
}
const snapshots = db.getIntProperty('rocksdb.num-snapshots');
const tables = tableCount();
await db.close();
console.log(JSON.stringify({ warnings, snapshots, tablesWhileOpen, tables }));
