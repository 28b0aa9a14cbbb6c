/**
 * What an existing database says of itself in its OPTIONS file and is taken over at open: the names of merge operators and
 * prefix extractors, and whether its logs may hold prepared transactions. Everything else there is tuning, and the caller's.
 */
import { mergeOperatorByName } from '../../format/base/builtin-merge-operators.ts';
import { builtinComparators } from '../../format/base/comparator.ts';
import { invalidArgument } from '../../format/base/db-error.ts';
import { runAsync } from '../../format/base/io.ts';
import { sliceTransformByName } from '../../format/base/slice-transform.ts';
import { readWhole } from '../env/file-operations.ts';
import { OPTIONS_FILE_SIZE_MAX, type OptionsFile, parseOptionsFile } from '../options/options-file.ts';
import type { DbContext } from '../options/db-context.ts';
import type { FamilyOptions } from '../options/resolved-options.ts';
import { newestOptionsFile } from './directory-check.ts';

/** Reads the newest OPTIONS file. A damaged one is logged and left out: nothing in it is needed to read the data right. */
export async function readStoredOptions(
  context: DbContext,
  names: readonly string[],
): Promise<OptionsFile | undefined> {
  const name = newestOptionsFile(names);
  if (name === undefined) return undefined;
  const path = `${context.path}/${name}`;
  try {
    return parseOptionsFile(await runAsync(readWhole(context.fs, path, OPTIONS_FILE_SIZE_MAX)), path);
  } catch (error) {
    context.logger.warn(`Ignoring ${path}: ${(error as Error).message}`);
    return undefined;
  }
}

/** Names that stand for "none". */
function isNone(name: string | undefined): boolean {
  return name === undefined || name === '' || name === 'nullptr';
}

/** The name of a value such as `{id=Name;…}` or `Name`. */
function idOf(value: string): string {
  return /^\{id=([^;{}]+);/.exec(value)?.[1] ?? value;
}

/** Fills in the components that the caller did not give, by their stored names. `INVALID_ARGUMENT` names one that is unknown. */
export function withStoredComponents(
  options: FamilyOptions,
  family: string,
  comparatorName: string | undefined,
  stored: OptionsFile | undefined,
): FamilyOptions {
  const result = { ...options, comparator: comparatorOf(options, family, comparatorName) };
  const section = stored?.families.find(({ name }) => name === family)?.columnFamily;
  const mergeName = section?.get('merge_operator');
  if (result.mergeOperator === undefined && !isNone(mergeName)) {
    const operator = mergeOperatorByName(mergeName!) ?? mergeOperatorByName(idOf(mergeName!));
    if (operator === undefined) throw unknownComponent('merge operator', mergeName!, family, 'mergeOperator');
    result.mergeOperator = { value: operator, ref: { kind: 'builtin', name: operator.name } };
  }
  const prefixName = section?.get('prefix_extractor');
  if (result.prefixExtractor === undefined && !isNone(prefixName)) {
    const extractor = sliceTransformByName(idOf(prefixName!));
    if (extractor === undefined) throw unknownComponent('prefix extractor', prefixName!, family, 'prefixExtractor');
    result.prefixExtractor = { value: extractor, ref: { kind: 'builtin', name: extractor.name } };
  }
  return result;
}

function unknownComponent(what: string, name: string, family: string, option: string): Error {
  return invalidArgument(
    `column family ${family} was written with the ${what} ${JSON.stringify(name)}, which is not built in: give it as options.${option}`,
  );
}

function comparatorOf(
  options: FamilyOptions,
  family: string,
  stored: string | undefined,
): NonNullable<FamilyOptions['comparator']> {
  const given = options.comparator;
  const name = stored ?? given?.value.name ?? 'leveldb.BytewiseComparator';
  if (given !== undefined) {
    if (given.value.name !== name) {
      throw invalidArgument(
        `${given.value.name}: does not match existing comparator ${name} of column family ${family} (options.comparator)`,
      );
    }
    return given;
  }
  const builtin = builtinComparators.get(name);
  if (builtin === undefined) throw unknownComponent('comparator', name, family, 'comparator');
  return { value: builtin, ref: { kind: 'builtin', name } };
}

/** Whether the logs may hold prepared transactions. */
export function storedAllow2pc(stored: OptionsFile | undefined): boolean {
  return stored?.db.get('allow_2pc') === 'true';
}
