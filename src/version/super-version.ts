/**
 * A super-version: everything a reader of one family needs at one time, the active memtable, the immutable ones and the
 * tables. Readers that outlive a turn (iterators, reads that wait for a disk) hold a reference; what it shows stays alive
 * and unchanged, but for the active memtable, whose newer entries their sequence hides.
 */
import { assert } from '../../format/base/assert.ts';
import type { Version } from '../../format/manifest/version.ts';
import type { MemTable } from '../memtable/memtable.ts';

/** Memtables and version of one family, ref-counted. */
export class SuperVersion {
  /** The active memtable, then the immutable ones, newest first. */
  readonly memtables: readonly MemTable[];
  readonly version: Version;
  #references = 1;

  /** Takes references of its own. */
  constructor(memtables: readonly MemTable[], version: Version) {
    this.memtables = memtables;
    this.version = version;
    for (const memtable of memtables) memtable.ref();
    version.ref();
  }

  ref(): this {
    assert(this.#references > 0, 'a released super-version was referenced');
    this.#references++;
    return this;
  }

  /** The last one lets memtables and version go. */
  unref(): void {
    assert(this.#references > 0, 'a super-version was released twice');
    if (--this.#references > 0) return;
    for (const memtable of this.memtables) memtable.unref();
    this.version.unref();
  }
}
