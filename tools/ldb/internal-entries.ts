/**
 * All versions of a family's keys as an iterator sees them underneath: deletions and merge operands included, entries that
 * a range tombstone hides left out. It goes through the engine's own merge, so that logs and tables count alike.
 */
import { resolve } from 'node:path';
import { MAX_SEQUENCE, makeInternalKey, sequenceOf, TYPE_FOR_SEEK, userKeyOf } from '../../format/base/internal-key.ts';
import { runAsync, runSync } from '../../format/base/io.ts';
import { MergingIterator, Position } from '../../format/iterator/merging-iterator.ts';
import { FragmentedTombstones, type RangeTombstone } from '../../format/iterator/range-tombstones.ts';
import { CURRENT_FILE } from '../../format/manifest/file-name.ts';
import type { Engine } from '../../src/db/engine.ts';
import { openEngine } from '../../src/db/open.ts';
import { makeSources, TombstoneView } from '../../src/read/iterator-sources.ts';
import { memtableFragments, tableFragments } from '../../src/read/tombstones.ts';
import type { ColumnFamilyState } from '../../src/version/column-family.ts';
import { type CommandContext, READ_OPTIONS } from './command-context.ts';
import { commandFailure } from './command-failure.ts';
import { openOptions } from './open-options.ts';

/** One entry: views that live until the visitor returns. */
export type EntryVisitor = (internalKey: Uint8Array, value: Uint8Array) => boolean | Promise<boolean>;

/** A range of user keys, the end exclusive. */
export interface UserKeyRange {
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
}

/** Shows the entries of the family that the flags name, in order, until `visit` returns false. Opens without a lock. */
export async function visitInternalEntries(
  context: CommandContext,
  range: UserKeyRange,
  visit: EntryVisitor,
): Promise<void> {
  await context.requireFile(`${context.path}/${CURRENT_FILE}`);
  const engine = await openEngine(resolve(context.path), { ...(await openOptions(context)), ...READ_OPTIONS });
  context.tellDrops(engine.recovery.drops);
  try {
    const family = engine.versions.byName(context.familyName);
    if (family === undefined) throw commandFailure(`Non-existing column family ${context.familyName}`);
    await visitFamily(engine, family, range, visit);
  } finally {
    await engine.close();
  }
}

async function visitFamily(
  engine: Engine,
  family: ColumnFamilyState,
  range: UserKeyRange,
  visit: EntryVisitor,
): Promise<void> {
  const { kernel } = engine;
  const view = family.superVersion.ref();
  const hidden = await allTombstones(engine, family);
  const tombstones = new TombstoneView(kernel, family, view, MAX_SEQUENCE);
  const sources = makeSources(kernel, engine.access, family, view, tombstones, {
    fillCache: false,
    verifyChecksums: true,
    totalOrder: true,
    prefix: undefined,
  });
  const merge = new MergingIterator(kernel, family.comparatorId, sources);
  try {
    seek(engine, merge, range.from);
    for (; merge.valid; runSync(merge.next())) {
      const key = merge.key();
      const userKey = userKeyOf(key);
      if (range.to !== undefined && family.comparator.compare(userKey, range.to) >= 0) break;
      if (hidden.coveringSequence(userKey, MAX_SEQUENCE) > sequenceOf(key)) continue;
      if (!(await visit(key, merge.value()))) break;
    }
  } finally {
    merge.close();
    tombstones.close();
    view.unref();
  }
}

function seek({ kernel }: Engine, merge: MergingIterator, from: Uint8Array | undefined): void {
  if (from === undefined) {
    runSync(merge.position(Position.first));
    return;
  }
  const target = makeInternalKey(from, MAX_SEQUENCE, TYPE_FOR_SEEK);
  const at = kernel.malloc(target.length);
  try {
    kernel.copyIn(target, at);
    runSync(merge.position(Position.seek, at, target.length));
  } finally {
    kernel.free(at);
  }
}

/** The tombstones of memtables and tables together, each inside the boundaries of its table. */
async function allTombstones(engine: Engine, family: ColumnFamilyState): Promise<FragmentedTombstones> {
  const { version, memtables } = family.superVersion;
  const all: RangeTombstone[] = memtables.flatMap(
    (memtable) => memtableFragments(memtable, family.comparator)?.visibleAt(MAX_SEQUENCE) ?? [],
  );
  for (const file of version.levels.flat()) {
    const reader = await runAsync(engine.tables.open(file, engine.access.openingOf(family)));
    all.push(...(tableFragments(reader, file, family.comparator)?.visibleAt(MAX_SEQUENCE) ?? []));
  }
  return new FragmentedTombstones(family.comparator, all);
}
