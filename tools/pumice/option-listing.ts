/** `pumice options`: the table that validation, `setOptions` and the OPTIONS file are driven by, for people to read. */
import { OPTION_TABLE, type OptionDescriptor, type OptionKind } from '../../src/options/option-table.ts';
import { ToolFailure } from '../lib/tool-failure.ts';
import type { ToolStreams } from '../lib/tool-process.ts';

function limitText(limit: number): string {
  if (limit === Number.MAX_SAFE_INTEGER) return '2^53-1';
  if (limit === -Number.MAX_SAFE_INTEGER) return '-(2^53-1)';
  return String(limit);
}

/** Type and range in words. */
function kindText(kind: OptionKind): string {
  switch (kind.type) {
    case 'integer':
    case 'number':
      return `${kind.type}, ${limitText(kind.min)} to ${limitText(kind.max)}`;
    case 'enum':
      return kind.values.join(' | ');
    case 'enumList':
      return `list of up to ${kind.maxLength}: ${kind.values.join(' | ')}`;
    case 'component':
      return kind.shape;
    default:
      return kind.type;
  }
}

function defaultText(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}

function descriptionOf(option: OptionDescriptor): Record<string, unknown> {
  const { name, scope, kind, default: value, mutable, doc, file } = option;
  return {
    name,
    scope,
    type: kindText(kind),
    default: value ?? null,
    changeable: mutable,
    doc,
    ...(file === undefined ? {} : { optionsFile: file.join('.') }),
  };
}

/** Prints the options whose name holds one of the words, or all. Fails when a word matches none. */
export async function listOptions(words: readonly string[], json: boolean, { out }: ToolStreams): Promise<number> {
  const all = [...OPTION_TABLE.values()];
  const matches = (name: string, word: string): boolean => name.toLowerCase().includes(word.toLowerCase());
  for (const word of words) {
    if (!all.some(({ name }) => matches(name, word))) throw new ToolFailure(`Failed: no option is named like ${word}`);
  }
  const chosen = words.length === 0 ? all : all.filter(({ name }) => words.some((word) => matches(name, word)));
  if (json) {
    out.line(JSON.stringify(chosen.map(descriptionOf), undefined, 2));
    return 0;
  }
  for (const option of chosen) {
    out.line(`${option.name}  (${option.scope === 'db' ? 'database' : 'column family'})`);
    out.line(`    type: ${kindText(option.kind)}`);
    out.line(`    default: ${defaultText(option.default)}; changeable while open: ${option.mutable ? 'yes' : 'no'}`);
    if (option.file !== undefined) out.line(`    in RocksDB: ${option.file[1]}`);
    out.line(`    ${option.doc}`);
  }
  return 0;
}
