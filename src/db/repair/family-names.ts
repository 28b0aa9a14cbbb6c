/**
 * Which family an id of a log or a table stands for, when the MANIFEST that would tell is gone. Tables carry both. For the
 * others there is only the order: an OPTIONS file lists families as they were made, and ids are given in that order.
 */

/** What is known. */
export interface FamilyClues {
  /** Ids that tables, or a readable old MANIFEST, name. */
  known: ReadonlyMap<number, string>;
  /** All names, in the order the families were made; the default one may be among them. */
  names: readonly string[];
  /** Ids in the logs. */
  inLogs: ReadonlySet<number>;
}

const DEFAULT_NAME = 'default';

/**
 * Names by id: for every id in the clues, and for every name. Where the order does not tell which of several ids a name
 * has, the ids get names of their own (`recovered-7`), so that nothing is lost for want of a name.
 */
export function nameFamilies({ known, names, inLogs }: FamilyClues): Map<number, string> {
  const result = new Map<number, string>([[0, DEFAULT_NAME], ...known]);
  const taken = new Set(result.values());
  const wanted = names.filter((name) => !taken.has(name));
  for (const run of runsOf(names, result)) {
    const ids = idsOfRun(run, result, inLogs);
    if (ids === undefined) continue;
    run.names.forEach((name, i) => {
      result.set(ids[i]!, name);
      taken.add(name);
    });
  }
  for (const id of inLogs) if (!result.has(id)) result.set(id, `recovered-${id}`);
  let next = Math.max(0, ...result.keys());
  for (const name of new Set(wanted)) if (!taken.has(name)) result.set(++next, name);
  return result;
}

/** Names without an id that stand between two families with one. */
interface Run {
  names: string[];
  after: number;
  before: number;
}

function runsOf(names: readonly string[], named: ReadonlyMap<number, string>): Run[] {
  const idOf = new Map([...named].map(([id, name]) => [name, id]));
  const runs: Run[] = [];
  let run: Run = { names: [], after: 0, before: Number.POSITIVE_INFINITY };
  for (const name of names) {
    const id = idOf.get(name);
    if (id === undefined) {
      if (!run.names.includes(name)) run.names.push(name);
      continue;
    }
    runs.push({ ...run, before: id });
    run = { names: [], after: id, before: Number.POSITIVE_INFINITY };
  }
  return [...runs, run].filter((r) => r.names.length > 0 && r.before > r.after);
}

/**
 * The ids of a run's names: they follow one another unless a family was dropped. `undefined` where one was, which shows
 * in ids left over between two known families, or in a log that names a higher id than there are families.
 */
function idsOfRun(
  { names, after, before }: Run,
  named: ReadonlyMap<number, string>,
  inLogs: ReadonlySet<number>,
): number[] | undefined {
  const ids = names.map((_, i) => after + 1 + i);
  const last = after + names.length;
  if (ids.some((id) => named.has(id))) return undefined;
  if (before !== Number.POSITIVE_INFINITY) return last === before - 1 ? ids : undefined;
  return [...inLogs].every((id) => id <= last) ? ids : undefined;
}
