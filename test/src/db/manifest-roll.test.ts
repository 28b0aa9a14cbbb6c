/** A MANIFEST that is rolled leaves no trail: each replaced one is removed, and the newest alone is enough to reopen. */
import { expect, test } from 'vitest';
import { DB, Env } from '../../../src/index.ts';

test('replaced MANIFEST files are removed while the database is open', async () => {
  const env = Env.memory();
  const db = await DB.open('/rolled', { createIfMissing: true, env, maxManifestFileSize: 64 });
  for (let i = 0; i < 5; i++) {
    await db.put(`key${i}`, 'value');
    await db.flush();
  }
  await db.disableFileDeletions();
  await db.enableFileDeletions(true);
  const manifests = (await env.fileSystem.list('/rolled')).filter((name) => name.startsWith('MANIFEST-'));
  expect(manifests).toHaveLength(1);
  await db.close();
  const again = await DB.open('/rolled', { env });
  expect(await again.get('key4')).toBeDefined();
  await again.close();
});
