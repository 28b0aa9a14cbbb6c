/** What a disk may hold after a power cut, by four models, drawn with a seed. */
import { type EntryChange, MemoryDirectory, MemoryFile, type MemoryNode, type StalePages } from './memory-nodes.ts';
import { makePage, PAGE_SIZE, type Page, type PagedBytes } from './memory-pages.ts';
import type { Rng } from './random.ts';

/**
 * - `synced`: only what syncs covered.
 * - `ordered`: that, and a prefix of all other operations in their order, the last write cut at a sector.
 * - `subset`: names as in `ordered`; every unsynced page for itself old, new, zero, torn at a sector, or showing bytes
 *   of a deleted file; the length old or new.
 * - `dirs`: unsynced creations, renames and unlinks kept up to a point chosen for each directory, or each for itself;
 *   the data of each file all there or only what was synced.
 */
export type CrashModel = 'synced' | 'ordered' | 'subset' | 'dirs';

/** All models. */
export const CRASH_MODELS: readonly CrashModel[] = ['synced', 'ordered', 'subset', 'dirs'];

const SECTOR_SIZE = 512;

/** What a model decides. */
interface Survival {
  keeps(change: EntryChange): boolean;
  bytesOf(file: MemoryFile): PagedBytes;
}

/** What of the tree has changes that are not durable. */
export interface UnsyncedNodes {
  readonly files: Iterable<MemoryFile>;
  readonly directories: Iterable<MemoryDirectory>;
}

function unsyncedIndexes(nodes: UnsyncedNodes): number[] {
  const indexes = new Set<number>();
  for (const file of nodes.files) for (const change of file.changes) indexes.add(change.index);
  for (const directory of nodes.directories) {
    for (const change of directory.changes) if (change.unsynced.size > 0) indexes.add(change.index);
  }
  return [...indexes].sort((a, b) => a - b);
}

/** The first operation that is lost, drawn so that each prefix is as likely, none and all included. */
function drawCut(nodes: UnsyncedNodes, rng: Rng): number {
  const indexes = unsyncedIndexes(nodes);
  const kept = rng.below(indexes.length + 1);
  return kept === indexes.length ? Number.POSITIVE_INFINITY : indexes[kept]!;
}

function synced(): Survival {
  return { keeps: () => false, bytesOf: (file) => file.durable.share() };
}

function ordered(nodes: UnsyncedNodes, rng: Rng): Survival {
  const cut = drawCut(nodes, rng);
  return {
    keeps: (change) => change.index < cut,
    bytesOf(file) {
      if ((file.changes.at(-1)?.index ?? -1) < cut) return file.bytesOfAllChanges();
      const bytes = file.durable.share();
      for (const change of file.changes) {
        if (change.index < cut) file.apply(change, bytes);
        else if (change.index === cut && change.range !== undefined) {
          // The write that was under way: its sectors reach the disk up to one of them.
          const first = Math.floor(change.range.start / SECTOR_SIZE);
          const sectors = Math.floor(change.range.end / SECTOR_SIZE) - first;
          const end = (first + rng.below(sectors + 1)) * SECTOR_SIZE;
          if (end > change.range.start) file.apply(change, bytes, end);
        }
      }
      return bytes;
    },
  };
}

function tornPage(before: Page | undefined, after: Page | undefined, rng: Rng): Page {
  const page = makePage(before?.bytes);
  const end = rng.below(PAGE_SIZE / SECTOR_SIZE + 1) * SECTOR_SIZE;
  if (after === undefined) page.bytes.fill(0, 0, end);
  else page.bytes.set(after.bytes.subarray(0, end));
  return page;
}

function subsetBytes(file: MemoryFile, stale: readonly Page[], rng: Rng): PagedBytes {
  const bytes = file.durable.share();
  const durablePages = Math.ceil(file.durable.size / PAGE_SIZE);
  const size = rng.below(2) === 0 ? file.durable.size : file.current.size;
  for (const index of file.dirtyPages()) {
    const before = file.durable.sharePage(index);
    const after = file.current.sharePage(index);
    const fate = rng.below(8);
    if (fate < 4) bytes.setPage(index, after);
    else if (fate === 4) bytes.setPage(index, tornPage(before, after, rng));
    // Only a page that is new to the file can show what its place on the disk held before.
    else if (index < durablePages) bytes.setPage(index, before);
    else if (fate === 5 && stale.length > 0) bytes.setPage(index, stale[rng.below(stale.length)]);
    else bytes.setPage(index, undefined);
  }
  bytes.resize(size);
  bytes.clearTail();
  return bytes;
}

function subset(nodes: UnsyncedNodes, stale: readonly Page[], rng: Rng): Survival {
  const cut = rng.below(2) === 0 ? Number.POSITIVE_INFINITY : drawCut(nodes, rng);
  return {
    keeps: (change) => change.index < cut,
    bytesOf: (file) => (file.changes.length === 0 ? file.durable.share() : subsetBytes(file, stale, rng)),
  };
}

function dirs(nodes: UnsyncedNodes, rng: Rng): Survival {
  const anyOrder = rng.below(4) === 0;
  const lost = new Set<EntryChange>();
  for (const directory of nodes.directories) {
    const changes = directory.changes.filter((change) => change.unsynced.size > 0);
    const kept = rng.below(changes.length + 1);
    changes.forEach((change, i) => {
      if (anyOrder ? rng.below(2) === 0 : i >= kept) lost.add(change);
    });
  }
  return {
    keeps: (change) => !lost.has(change),
    bytesOf: (file) => (rng.below(2) === 0 ? file.durable.share() : file.bytesOfAllChanges()),
  };
}

function survivalOf(model: CrashModel, nodes: UnsyncedNodes, stale: readonly Page[], rng: Rng): Survival {
  if (model === 'synced') return synced();
  if (model === 'ordered') return ordered(nodes, rng);
  return model === 'subset' ? subset(nodes, stale, rng) : dirs(nodes, rng);
}

/** The tree that is on the disk after a cut; all of it durable, its pages shared with the living tree. */
export function crashTree(
  root: MemoryDirectory,
  nodes: UnsyncedNodes,
  stale: StalePages,
  model: CrashModel,
  rng: Rng,
): MemoryDirectory {
  const survival = survivalOf(model, nodes, stale.pages, rng);
  const copies = new Map<MemoryNode, MemoryNode>();
  const copy = (node: MemoryNode): MemoryNode => {
    // A file of several names is one file in the image too.
    const known = copies.get(node);
    if (known !== undefined) return known;
    const made =
      node.kind === 'file' ? new MemoryFile(survival.bytesOf(node), node.modifiedMicros) : copyDirectory(node);
    copies.set(node, made);
    return made;
  };
  const copyDirectory = (directory: MemoryDirectory): MemoryDirectory => {
    const names = new Map<string, MemoryNode>();
    for (const [name, node] of directory.namesAfterCut(survival.keeps)) {
      const made = copy(node);
      if (made.kind === 'file') made.links++;
      names.set(name, made);
    }
    return new MemoryDirectory(names, directory.modifiedMicros);
  };
  return copyDirectory(root);
}
