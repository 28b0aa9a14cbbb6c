/**
 * Components: live objects that options name, give or point to by module. Settings travel to worker threads as they
 * are; a component travels by a built-in's name or by module, and one given as an object stays on this thread.
 */
import { mergeOperatorByName } from '../../format/base/builtin-merge-operators.ts';
import { builtinComparators, type Comparator } from '../../format/base/comparator.ts';
import { DBError, invalidArgument } from '../../format/base/db-error.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import { type SliceTransform, sliceTransformByName } from '../../format/base/slice-transform.ts';
import type { ModuleRef } from './options.ts';

/** How a worker thread gets the component: by a built-in's name, by module, or not at all (`local`). */
export type ComponentRef =
  | { kind: 'builtin'; name: string }
  | { kind: 'module'; module: string; export: string; options: unknown }
  | { kind: 'local' };

/** A component and how it travels. */
export interface Component<T> {
  value: T;
  ref: ComponentRef;
}

/** Whether an option value is a module reference. */
export function isModuleRef(value: unknown): value is ModuleRef {
  return typeof value === 'object' && value !== null && 'module' in value;
}

/** Loads what a module reference points to: the export itself, or what it returns for `options` if it is a function. */
export async function loadModule<T>(option: string, reference: ModuleRef): Promise<Component<T>> {
  const module = String(reference.module);
  const name = reference.export ?? 'default';
  let exported: unknown;
  try {
    const namespace = (await import(module)) as Record<string, unknown>;
    exported = namespace[name];
  } catch (cause) {
    throw invalidArgument(`options.${option}: module ${module} cannot be loaded: ${(cause as Error).message}`, cause);
  }
  if (exported === undefined) throw invalidArgument(`options.${option}: module ${module} has no export ${name}`);
  const value = typeof exported === 'function' ? (exported as (o: unknown) => unknown)(reference.options) : exported;
  return { value: value as T, ref: { kind: 'module', module, export: name, options: reference.options } };
}

function requireMethods(option: string, value: unknown, methods: readonly string[]): void {
  const object = value as Record<string, unknown>;
  if (typeof value !== 'object' || value === null || typeof object.name !== 'string' || object.name === '') {
    throw invalidArgument(`options.${option} must be an object with a non-empty name, got ${describe(value)}`);
  }
  for (const method of methods) {
    if (typeof object[method] !== 'function') {
      throw invalidArgument(`options.${option} "${object.name}" lacks the method ${method}()`);
    }
  }
}

/** A short word for a value in an error message; never its content. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? `an object` : typeof value;
}

async function component<T extends { name: string }>(
  option: string,
  value: unknown,
  byName: (name: string) => T | undefined,
  methods: readonly string[],
): Promise<Component<T> | undefined> {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') {
    const found = byName(value);
    if (found === undefined) throw invalidArgument(`options.${option}: "${value}" is not a built-in name`);
    return { value: found, ref: { kind: 'builtin', name: value } };
  }
  const loaded = isModuleRef(value) ? await loadModule<T>(option, value) : undefined;
  const object = (loaded?.value ?? value) as T;
  requireMethods(option, object, methods);
  if (loaded !== undefined) return loaded;
  // An object that is a built-in (or equal to one by its stored name and made by our own factory) travels by name.
  const same = byName(object.name);
  const builtin = same === object || (same !== undefined && madeByUs(same, object));
  return { value: object, ref: builtin ? { kind: 'builtin', name: object.name } : { kind: 'local' } };
}

/** Factories such as `fixedPrefix(4)` make a new object each time; their methods have the same source text. */
function madeByUs(a: object, b: object): boolean {
  const methods = Object.keys(a);
  return (
    methods.length === Object.keys(b).length &&
    methods.every((key) => {
      const x = (a as Record<string, unknown>)[key];
      const y = (b as Record<string, unknown>)[key];
      return typeof x === 'function' ? typeof y === 'function' && x.toString() === y.toString() : x === y;
    })
  );
}

/** Resolves `comparator`. */
export function comparatorComponent(value: unknown): Promise<Component<Comparator> | undefined> {
  return component('comparator', value, (name) => builtinComparators.get(name), ['compare']);
}

/** Resolves `mergeOperator`. */
export function mergeOperatorComponent(value: unknown): Promise<Component<MergeOperator> | undefined> {
  return component('mergeOperator', value, mergeOperatorByName, ['fullMerge']);
}

/** Resolves `prefixExtractor`. */
export function prefixExtractorComponent(value: unknown): Promise<Component<SliceTransform> | undefined> {
  return component('prefixExtractor', value, sliceTransformByName, ['transform', 'inDomain']);
}

/** Resolves a component that has no built-ins. */
export function namedComponent<T extends { name: string }>(
  option: string,
  value: unknown,
  method: string,
): Promise<Component<T> | undefined> {
  return component<T>(option, value, () => undefined, [method]);
}

/** Loads a component in a worker thread, or fails with a code that says it cannot travel. */
export async function loadComponent<T>(
  option: string,
  ref: ComponentRef,
  byName: (name: string) => T | undefined,
): Promise<T> {
  if (ref.kind === 'module') {
    return (await loadModule<T>(option, { module: ref.module, export: ref.export, options: ref.options })).value;
  }
  const found = ref.kind === 'builtin' ? byName(ref.name) : undefined;
  if (found === undefined) throw new DBError('NOT_SUPPORTED', `options.${option} cannot be loaded in a worker thread`);
  return found;
}
