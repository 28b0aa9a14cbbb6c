/** Files that no version names are removed in the background: soon, but they must go. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DB } from '../../src/index.ts';
import { Violation } from './history.ts';

/** How long the background may take; a loaded machine needs some of it. */
const LEFTOVERS_MS = 5000;

/** Waits until `list` shows no table that the database does not name, and no temporary file; throws `Violation`. */
export async function expectNoLeftovers(db: DB, list: () => string[], what: string): Promise<void> {
  const deadline = performance.now() + LEFTOVERS_MS;
  for (;;) {
    const live = new Set(db.getLiveFilesMetaData().map((file) => file.name.replace(/^.*\//, '')));
    const names = list();
    const leftovers = names.filter((name) => (name.endsWith('.sst') && !live.has(name)) || name.endsWith('.dbtmp'));
    if (leftovers.length === 0) {
      return;
    }
    if (performance.now() > deadline) {
      throw new Violation(`${what}: files that nothing refers to are not removed: ${leftovers.join(', ')}`);
    }
    await sleep(1);
  }
}
