/**
 * Far more reads at once than tables may be open. Each must get through with the tables it looks into opened about once, and
 * not find again and again that others had them closed. Method: counting opens in memory; too many become errors.
 */

import { expect, test } from 'vitest';
import type { FileOperation } from '../../src/env/file-operation.ts';
import { MemoryFileSystem } from '../../src/env/memory-file-system.ts';
import { DB, Env } from '../../src/index.ts';

const TABLES = 120;
const READS = 3000;

function key(i: number): string {
  return `key${String(i).padStart(6, '0')}`;
}

test('R13 thousands of reads at once over more tables than may be open come to an end', async () => {
  let opens = 0;
  const before = (_index: number, operation: FileOperation) => {
    const isTable = operation.kind === 'open-random' && operation.path.endsWith('.sst');
    return isTable && ++opens > 2 * READS ? ({ errno: 'EMFILE' } as const) : undefined;
  };
  const env = new Env({ fileSystem: new MemoryFileSystem({ hooks: { before } }) });
  {
    await using db = await DB.open('/db', {
      env,
      createIfMissing: true,
      disableAutoCompactions: true,
      maxOpenFiles: 10,
      noBlockCache: true,
    });
    for (let table = 0; table < TABLES; table++) {
      for (let i = 0; i < 10; i++) await db.put(key(table * 10 + i), `value ${table}`);
      await db.flush();
    }
    opens = 0;
    const values = await Promise.all(Array.from({ length: READS }, (_, i) => db.get(key((i * 7919) % (TABLES * 10)))));
    expect(values.every((value) => value !== undefined)).toBe(true);
    expect(opens).toBeGreaterThan(TABLES);
    expect(opens).toBeLessThanOrEqual(READS);
  }
  await env.close();
});
