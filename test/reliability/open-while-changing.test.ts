/**
 * An open looks at the files before it asks for the lock, and may see them in the middle of a change by whoever has it. That is
 * no damage. Method: the change is made by hand while a database is open; without the lock the same sight is damage.
 */

import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DB } from '../../src/index.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test.each(['CURRENT', 'MANIFEST'])(
  'R15 an open that finds %s missing says LOCKED while somebody has the lock',
  async (kind) => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'db');
    const db = await DB.open(path, { createIfMissing: true });
    await db.put('key', 'value');
    await db.flush();
    const name = kind === 'CURRENT' ? kind : readFileSync(join(path, 'CURRENT'), 'utf8').trim();
    const file = join(path, name);
    renameSync(file, `${file}.aside`);
    await expect(DB.open(path)).rejects.toMatchObject({ code: 'LOCKED' });
    await expect(DB.open(path, { readOnly: true })).rejects.toMatchObject({ code: 'CORRUPTION' });
    await db.close();
    await expect(DB.open(path)).rejects.toMatchObject({ code: 'CORRUPTION' });
    renameSync(`${file}.aside`, file);
    await using again = await DB.open(path);
    expect(await again.get('key')).toEqual(new Uint8Array(Buffer.from('value')));
  },
);
