/** Decides which families a repaired database has, with which options; refuses before anything is changed. */
import { runAsync } from '../../../format/base/io.ts';
import { mergeOperatorByName } from '../../../format/base/builtin-merge-operators.ts';
import { invalidArgument } from '../../../format/base/db-error.ts';
import type { OptionsFile } from '../../options/options-file.ts';
import type { FamilyOptions, ResolvedOptions } from '../../options/resolved-options.ts';
import type { LogPlace } from '../../wal/wal-listing.ts';
import { withStoredComponents } from '../stored-options.ts';
import { nameFamilies } from './family-names.ts';
import { familyOf, type Remains } from './find-remains.ts';
import { familiesInLog } from './replay-logs.ts';
import type { Salvage } from './salvage.ts';

/** Names that stand for "none" in the properties of a table. */
const NO_OPERATOR = new Set(['', 'nullptr']);

/**
 * Adds the families of tables, logs and options to `salvage`. `INVALID_ARGUMENT` names a comparator or a merge operator
 * that is neither built in nor given.
 */
export async function planFamilies(
  salvage: Salvage,
  remains: Remains,
  logs: readonly LogPlace[],
  resolved: ResolvedOptions,
  stored: OptionsFile | undefined,
): Promise<void> {
  const inLogs = new Set<number>();
  for (const place of logs) await runAsync(familiesInLog(salvage, place, inLogs));
  const names = [...(stored?.families.map(({ name }) => name) ?? []), ...(resolved.families?.keys() ?? [])];
  for (const [id, name] of nameFamilies({ known: knownFamilies(remains), names, inLogs })) {
    const given = resolved.families?.get(name) ?? resolved.base;
    const comparator = comparatorName(remains, stored, id, name);
    salvage.addFamily(id, name, withOperator(withStoredComponents(given, name, comparator, stored), remains, id, name));
  }
}

/** Ids and names that tables and the old MANIFEST tell; of two ids with one name the larger one is in force. */
function knownFamilies(remains: Remains): Map<number, string> {
  const known = new Map<number, string>();
  for (const { id, name } of remains.hint?.families.values() ?? []) known.set(id, name);
  for (const { properties } of remains.tables.toSorted((a, b) => a.number - b.number)) {
    const { id, name } = familyOf(properties);
    known.set(id, id === 0 ? 'default' : name);
  }
  const newest = new Map<string, number>();
  for (const [id, name] of known) newest.set(name, Math.max(id, newest.get(name) ?? 0));
  for (const [id, name] of [...known]) if (newest.get(name) !== id) known.delete(id);
  return known;
}

function comparatorName(
  remains: Remains,
  stored: OptionsFile | undefined,
  id: number,
  name: string,
): string | undefined {
  const table = remains.tables.find(({ properties }) => familyOf(properties).id === id);
  const ofTable = table?.properties.comparatorName ?? '';
  if (ofTable !== '') return ofTable;
  const section = stored?.families.find((family) => family.name === name)?.columnFamily;
  return remains.hint?.families.get(id)?.comparatorName ?? section?.get('comparator');
}

/** Without an OPTIONS file the tables still tell the merge operator. */
function withOperator(options: FamilyOptions, remains: Remains, id: number, family: string): FamilyOptions {
  if (options.mergeOperator !== undefined) return options;
  const names = remains.tables
    .filter(({ properties }) => familyOf(properties).id === id)
    .map(({ properties }) => properties.mergeOperatorName)
    .filter((name) => !NO_OPERATOR.has(name));
  const name = names[0];
  if (name === undefined) return options;
  const value = mergeOperatorByName(name);
  if (value === undefined) {
    throw invalidArgument(
      `column family ${family} was written with the merge operator ${JSON.stringify(name)}, which is not built in: give it as options.mergeOperator`,
    );
  }
  return { ...options, mergeOperator: { value, ref: { kind: 'builtin', name: value.name } } };
}
