/** What anything that is used like a database offers: the public methods of `DB`, without its parts. */
import type { DB } from '../db/db.ts';

/** A `DB`, or a layer over one. */
export type DatabaseShape = Pick<DB, keyof DB>;
