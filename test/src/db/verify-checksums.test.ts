/** `verifyChecksums: false` reads a block whose checksum is wrong; the next read that verifies still finds it out. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DB } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('S47 verifyChecksums: false is honoured for one read, and nothing unverified stays in the cache', async () => {
  using directory = temporaryDirectory();
  const db = await DB.open(directory.path, { createIfMissing: true, compression: 'none' });
  await db.put('key', 'value-to-be-damaged');
  await db.flush();
  await db.close();
  const [table] = readdirSync(directory.path).filter((name) => name.endsWith('.sst'));
  const path = `${directory.path}/${table}`;
  const bytes = readFileSync(path);
  bytes[bytes.indexOf('damaged')] = 'D'.charCodeAt(0);
  writeFileSync(path, bytes);
  const again = await DB.open(directory.path);
  expect(Buffer.from((await again.get('key', { verifyChecksums: false }))!).toString()).toBe('value-to-be-Damaged');
  const unverified = again.newIterator({ verifyChecksums: false });
  expect(unverified.seekToFirstSync()).toBe(true);
  unverified.close();
  await expect(again.get('key')).rejects.toMatchObject({ code: 'CORRUPTION' });
  expect(() => again.getSync('key')).toThrow(/checksum mismatch/);
  await again.close();
});
