/**
 * The floors of the building, as data: which folder stands on which. A lower rank may be imported by a higher one;
 * two different folders of the same rank never import each other.
 */

/** Top folders. Tests may reach everything; tools and benches know nothing of each other. */
const TOP: Record<string, number> = { format: 0, compaction: 1, src: 2, tools: 3, bench: 3, test: 4 };

/** Folders inside a top folder; a file that stands directly in the top folder is above them all. */
const INNER: Record<string, Record<string, number>> = {
  format: ranks('kernel base', 'compression log batch', 'sst', 'manifest iterator'),
  src: ranks(
    'env monitoring',
    'options cache memtable',
    'wal version',
    'read write flush',
    'background',
    'db',
    'utilities',
    'testing',
  ),
};

/** Folders of tools that the other tools share. */
const SHARED_TOOLS = new Set(['lib']);

/** Built-in modules that a top folder must not touch, and why. */
export const FORBIDDEN_MODULES: Record<string, { modules: RegExp; why: string }> = {
  format: {
    modules: /^(node:)?(fs|worker_threads|child_process|net|os|http|https)(\/.*)?$/,
    why: 'format/ knows bytes, not files, threads or machines',
  },
  compaction: {
    modules: /^(node:)?(fs|child_process|net|os|http|https)(\/.*)?$/,
    why: 'compaction/ owns no files; they come in through compaction-io.ts',
  },
};

function ranks(...floors: string[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [rank, folders] of floors.entries()) {
    for (const folder of folders.split(' ')) {
      result[folder] = rank;
    }
  }
  return result;
}

/** Why `from` must not import `to` (paths from the project's root), or undefined where it may. */
export function layerViolation(from: string, to: string): string | undefined {
  const [fromTop, toTop] = [top(from), top(to)];
  const [fromRank, toRank] = [TOP[fromTop], TOP[toTop]];
  if (fromRank === undefined || toRank === undefined) {
    return toTop === 'package.json'
      ? undefined
      : `'${toRank === undefined ? toTop : fromTop}' is no floor of this project`;
  }
  if (fromTop !== toTop) {
    return toRank < fromRank ? undefined : `${fromTop}/ must not import ${toTop}/: imports only go down`;
  }
  return fromTop === 'tools' ? toolViolation(from, to) : innerViolation(fromTop, from, to);
}

function innerViolation(topFolder: string, from: string, to: string): string | undefined {
  const floors = INNER[topFolder];
  if (floors === undefined) {
    return undefined;
  }
  const [fromFolder, toFolder] = [inner(from), inner(to)];
  if (fromFolder === toFolder) {
    return undefined;
  }
  const above = Number.POSITIVE_INFINITY;
  const fromRank = fromFolder === '' ? above : floors[fromFolder];
  const toRank = toFolder === '' ? above : floors[toFolder];
  if (fromRank === undefined || toRank === undefined) {
    return `${topFolder}/${fromRank === undefined ? fromFolder : toFolder}/ has no rank: give it one in layers.ts`;
  }
  if (toRank === fromRank) {
    return `${topFolder}/${fromFolder}/ and ${topFolder}/${toFolder}/ stand on one floor and must not import each other`;
  }
  return toRank < fromRank
    ? undefined
    : `${topFolder}/${fromFolder}/ must not import ${topFolder}/${toFolder}/: imports only go down`;
}

function toolViolation(from: string, to: string): string | undefined {
  const [fromFolder, toFolder] = [inner(from), inner(to)];
  if (fromFolder === toFolder || fromFolder === '' || SHARED_TOOLS.has(toFolder)) {
    return undefined;
  }
  return `tools/${fromFolder}/ must not import tools/${toFolder}/: what tools share stands in tools/lib/`;
}

function top(path: string): string {
  return path.split('/')[0] ?? '';
}

function inner(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? (parts[1] ?? '') : '';
}
