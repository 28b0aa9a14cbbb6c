/** Which column families an open deals with: those to open, and those to create. */
import { invalidArgument } from '../../format/base/db-error.ts';
import type { ManifestState } from '../../format/manifest/manifest-state.ts';
import type { FamilyOptions, ResolvedOptions } from '../options/resolved-options.ts';

/** Which families are opened, created or missing, with their options. */
export interface FamilyPlan {
  open: { id: number; options: FamilyOptions }[];
  create: { name: string; options: FamilyOptions }[];
}

/** Matches the families that are stored with those that the caller names. `INVALID_ARGUMENT` for a difference that is not allowed. */
export function familyPlan(
  state: ManifestState,
  resolved: ResolvedOptions,
  creating: boolean,
  complete: (options: FamilyOptions, name: string, comparator: string | undefined) => FamilyOptions,
): FamilyPlan {
  const plan: FamilyPlan = { open: [], create: [] };
  const wanted = resolved.families;
  const live = new Map([...state.families.values()].map((family) => [family.name, family]));
  const notOpened =
    wanted === undefined ? [] : [...live.keys()].filter((name) => name !== 'default' && !wanted.has(name));
  if (notOpened.length > 0 && !resolved.db.readOnly) {
    throw invalidArgument(
      `Column families not opened: ${notOpened.join(', ')} (options.columnFamilies must name all, or be left out)`,
    );
  }
  for (const family of live.values()) {
    if (notOpened.includes(family.name)) continue;
    const options = wanted?.get(family.name) ?? resolved.base;
    // A database that is being created has no stored name yet: the caller's comparator decides.
    plan.open.push({ id: family.id, options: complete(options, family.name, family.comparatorName) });
  }
  for (const [name, options] of wanted ?? []) {
    if (live.has(name)) continue;
    // A new database gets all that it is asked for; in an old one a name that is not there is more likely a mistake.
    if (!resolved.db.createMissingColumnFamilies && !creating) {
      throw invalidArgument(
        `Column family not found: ${name} (options.columnFamilies; options.createMissingColumnFamilies is false)`,
      );
    }
    if (resolved.db.readOnly) throw invalidArgument(`Column family not found: ${name} (options.columnFamilies)`);
    plan.create.push({ name, options: complete(options, name, undefined) });
  }
  return plan;
}
