/**
 * Components in a worker thread: built-in ones by name, others from their module, loaded once a thread. Two jobs of a
 * family get the same objects, so that a comparator keeps its id in the thread's kernel.
 */
import { serialize } from 'node:v8';
import { mergeOperatorByName } from '../../format/base/builtin-merge-operators.ts';
import { builtinComparators, type Comparator } from '../../format/base/comparator.ts';
import type { CompactionFilter, CompactionFilterFactory } from '../../format/base/compaction-filter.ts';
import { notSupported } from '../../format/base/db-error.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import { type SliceTransform, sliceTransformByName } from '../../format/base/slice-transform.ts';
import { getKernel } from '../../format/kernel/kernel.ts';
import type { JobComponents } from '../../compaction/job-settings.ts';
import type { RunMessage, TravellingComponent, TravellingComponents } from '../../compaction/worker/protocol.ts';
import { loadComponent } from '../options/components.ts';

type Role = keyof TravellingComponents;

/** Ids of the built-in comparators, the same in every thread. */
const BUILTIN_IDS: ReadonlyMap<string, number> = new Map([...builtinComparators.keys()].map((name, id) => [name, id]));

const BY_NAME: Record<Role, (name: string) => unknown> = {
  comparator: (name) => builtinComparators.get(name),
  mergeOperator: mergeOperatorByName,
  compactionFilter: () => undefined,
  compactionFilterFactory: () => undefined,
  prefixExtractor: sliceTransformByName,
};

const ROLES = Object.keys(BY_NAME) as Role[];

/** The components that this thread has loaded. */
export class WorkerComponents {
  readonly #loaded = new Map<string, unknown>();

  /** Whether `assemble` can be called without waiting. */
  has({ components }: RunMessage): boolean {
    return ROLES.every((role) => components[role] === undefined || this.#loaded.has(keyOf(role, components[role])));
  }

  /** Loads what is missing. `NOT_SUPPORTED` for an unknown name, `INVALID_ARGUMENT` for a module that cannot be loaded. */
  async load({ components }: RunMessage): Promise<void> {
    for (const role of ROLES) {
      const wanted = components[role];
      if (wanted === undefined || this.#loaded.has(keyOf(role, wanted))) continue;
      this.#loaded.set(keyOf(role, wanted), await loadComponent(role, wanted, BY_NAME[role]));
    }
  }

  /** The live components of a job. REQUIRES that they are loaded. A factory is asked for a filter of the job's own. */
  assemble({ components, job }: RunMessage): JobComponents {
    const comparator = this.#get<Comparator>('comparator', components);
    if (comparator === undefined) throw notSupported('a job without a comparator');
    let filter = this.#get<CompactionFilter>('compactionFilter', components);
    if (filter === undefined && job.kind === 'compaction') {
      const { bottommost, manual } = job.compaction;
      filter = this.#get<CompactionFilterFactory>('compactionFilterFactory', components)?.createFilter({
        isFullCompaction: bottommost,
        isManualCompaction: manual,
      });
    }
    return {
      comparator,
      comparatorId: BUILTIN_IDS.get(comparator.name) ?? getKernel().registerComparator(comparator),
      mergeOperator: this.#get<MergeOperator>('mergeOperator', components),
      compactionFilter: filter,
      prefixExtractor: this.#get<SliceTransform>('prefixExtractor', components),
    };
  }

  #get<T>(role: Role, components: TravellingComponents): T | undefined {
    const wanted = components[role];
    return wanted === undefined ? undefined : (this.#loaded.get(keyOf(role, wanted)) as T);
  }
}

function keyOf(role: Role, component: TravellingComponent): string {
  if (component.kind === 'builtin') return `${role}\0${component.name}`;
  const { module, export: name, options } = component;
  return `${role}\0${module}\0${name}\0${serialize(options).toString('base64')}`;
}
