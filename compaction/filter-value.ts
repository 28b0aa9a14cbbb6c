/** Asking the user's compaction filter about one value, with its answer checked. */
import type { CompactionFilter, FilterVerdict } from '../format/base/compaction-filter.ts';
import { DBError } from '../format/base/db-error.ts';

/**
 * What the filter decides. `key` and `value` are lent to it. `COMPACTION_FAILED` when it throws or answers nonsense: the
 * compaction then stops and its inputs stay, because guessing could lose or keep data against the user's will.
 */
export function filterValue(
  filter: CompactionFilter,
  level: number,
  key: Uint8Array,
  value: Uint8Array,
): FilterVerdict {
  let verdict: FilterVerdict;
  try {
    verdict = filter.filter(level, key, value);
  } catch (cause) {
    throw new DBError('COMPACTION_FAILED', `compaction filter ${filter.name} threw`, { cause });
  }
  if (verdict === 'keep' || verdict === 'remove') return verdict;
  if (typeof verdict === 'object' && verdict !== null && verdict.value instanceof Uint8Array) return verdict;
  throw new DBError(
    'COMPACTION_FAILED',
    `compaction filter ${filter.name} must return 'keep', 'remove' or { value: Uint8Array }`,
  );
}
