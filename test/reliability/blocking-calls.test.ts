/**
 * What a database does on the thread that opened it: in the promise API it never waits there for a device to have written.
 * Method: the calls of node:fs are counted. Jobs below 64 KiB open and create their tables in place, and log records are
 * appended in place, which the page cache serves; their syncs are not.
 */

import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { DB } from '../../src/index.ts';
import { Random, seedFor } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

afterEach(() => void vi.restoreAllMocks());

const NEVER = ['fsyncSync', 'fdatasyncSync', 'linkSync', 'readdirSync'] as const;

test.each([3, 500])(
  'R14 writes, flushes and compactions of the promise API never sync on the opening thread, values of %i bytes',
  async (size) => {
    const random = new Random(seedFor(14));
    using directory = temporaryDirectory();
    await using db = await DB.open(join(directory.path, 'db'), { createIfMissing: true, writeBufferSize: 256 << 10 });
    const spies = NEVER.map((name) => vi.spyOn(fs, name));
    for (let round = 0; round < 4; round++) {
      const puts = Array.from({ length: 500 }, (_, i) => db.put(`key${i}`, random.bytes(size)));
      await Promise.all(puts);
      await db.put('synced', `${round}`, { sync: true });
      await db.flush();
    }
    await db.compactRange();
    for (let i = 0; i < 500; i++) expect(await db.get(`key${i}`)).toBeDefined();
    for (const spy of spies) expect(spy.mock.calls, spy.getMockName()).toEqual([]);
  },
);
