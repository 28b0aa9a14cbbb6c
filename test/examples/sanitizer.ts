/**
 * A sanitizer: a compaction filter that takes e-mail addresses out of values while tables are rewritten, so that old data
 * gets clean without a pass of its own. After `compactRange` no table holds an address.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CompactionFilter, DB } from '../../src/index.ts';
import { runAsProgram } from './run-as-program.ts';

/** What an address looks like. Applied to bytes as Latin-1, so that bytes which are no text pass unchanged. */
const EMAIL = /[A-Za-z0-9._+-]{2,}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/g;
const AT_SIGN = 0x40;

/** Replaces every address in a value. It has no state, so one object serves all compactions. */
export const emailSanitizer: CompactionFilter = {
  name: 'example.EmailSanitizer',
  filter(_level, _key, value) {
    // The view is borrowed for the call; the cheap test spares most values the regular expression.
    if (!value.includes(AT_SIGN)) return 'keep';
    const text = Buffer.from(value).toString('latin1');
    const clean = text.replace(EMAIL, '[redacted]');
    return clean === text ? 'keep' : { value: Buffer.from(clean, 'latin1') };
  },
};

/** Addresses in the table files of a directory, as found in their bytes. */
export function addressesInTables(directory: string): number {
  const tables = readdirSync(directory).filter((name) => name.endsWith('.sst'));
  const found = tables.map((name) => readFileSync(join(directory, name), 'latin1').match(EMAIL)?.length ?? 0);
  return found.reduce((sum, count) => sum + count, 0);
}

/** Stores customers, every second one with an address, and compacts them clean. */
export async function main(directory: string) {
  const db = await DB.open(directory, {
    createIfMissing: true,
    compression: 'none',
    disableAutoCompactions: true,
    compactionFilter: emailSanitizer,
  });
  for (let i = 0; i < 2000; i++) {
    const contact = i % 2 === 0 ? `customer.${i}@mail.example.com, or by phone` : 'by phone';
    db.putSync(`customer/${String(i).padStart(6, '0')}`, `{"id":${i},"contact":"${contact}"}`);
    if (i === 999) await db.flush();
  }
  await db.flush();
  const before = addressesInTables(directory);
  await db.compactRange();
  const sample = await db.get('customer/000004');
  await db.close();
  // Obsolete tables are unlinked in the background; by the end of close they are gone.
  const after = addressesInTables(directory);
  return { before, after, sample: Buffer.from(sample ?? []).toString() };
}

await runAsProgram(import.meta.url, main);
