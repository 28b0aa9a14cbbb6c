/** Decides whether the components of a job can go to a worker thread, and describes them for the way. */
import type { TravellingComponent, TravellingComponents } from '../../compaction/worker/protocol.ts';
import type { Component } from '../options/components.ts';
import type { FamilyOptions } from '../options/resolved-options.ts';

/**
 * The components that a flush or a compaction of a family needs, or `undefined` when one of them is an object of the
 * user's, which exists on this thread only. A flush needs no filter.
 */
export function travellingComponents(
  options: FamilyOptions,
  kind: 'flush' | 'compaction',
): TravellingComponents | undefined {
  const { comparator, mergeOperator, prefixExtractor, compactionFilter, compactionFilterFactory } = options;
  const filters = kind === 'flush' ? [] : [compactionFilter, compactionFilterFactory];
  const needed = [comparator, mergeOperator, prefixExtractor, ...filters];
  if (comparator === undefined || needed.some((component) => component?.ref.kind === 'local')) return undefined;
  return {
    comparator: travelling(comparator)!,
    mergeOperator: travelling(mergeOperator),
    compactionFilter: travelling(filters[0]),
    compactionFilterFactory: travelling(filters[1]),
    prefixExtractor: travelling(prefixExtractor),
  };
}

function travelling(component: Component<unknown> | undefined): TravellingComponent | undefined {
  if (component === undefined || component.ref.kind === 'local') return undefined;
  return component.ref;
}
