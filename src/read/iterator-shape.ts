/** What users see of an iterator: layers over a database may give them iterators of their own. */
import type { DBIterator } from './db-iterator.ts';

/** A cursor over one column family; see `DBIterator`. */
export type IteratorShape = Pick<DBIterator, keyof DBIterator>;
