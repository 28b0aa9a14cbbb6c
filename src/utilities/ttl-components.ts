/** The compaction filter and the merge operator of TTL databases, around the user's own. */
import type { CompactionFilter, CompactionFilterFactory, FilterVerdict } from '../../format/base/compaction-filter.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import type { Clock } from '../env/clock.ts';
import { isStale, nowSeconds, timestampOf, valueOf, withTimestamp } from './ttl-value.ts';

/** How long a family's values live, in seconds; 0 or less: for ever. Shared with the filters, so that it can change. */
export interface TimeToLive {
  seconds: number;
}

/** Drops stale values; shows the user's filter the others without their time. */
class TtlCompactionFilter implements CompactionFilter {
  readonly name = 'TtlCompactionFilter';
  readonly #ttl: TimeToLive;
  readonly #clock: Clock;
  readonly #user: CompactionFilter | undefined;

  constructor(ttl: TimeToLive, clock: Clock, user: CompactionFilter | undefined) {
    this.#ttl = ttl;
    this.#clock = clock;
    this.#user = user;
  }

  filter(level: number, key: Uint8Array, stored: Uint8Array): FilterVerdict {
    if (isStale(stored, this.#ttl.seconds, nowSeconds(this.#clock))) return 'remove';
    if (this.#user === undefined) return 'keep';
    const verdict = this.#user.filter(level, key, valueOf(stored));
    return typeof verdict === 'string' ? verdict : { value: withTimestamp(verdict.value, timestampOf(stored)) };
  }
}

/** A factory of such filters, around a filter or a factory of the user's. */
export function ttlFilterFactory(
  ttl: TimeToLive,
  clock: Clock,
  user: { filter?: CompactionFilter | undefined; factory?: CompactionFilterFactory | undefined },
): CompactionFilterFactory {
  return {
    name: 'TtlCompactionFilterFactory',
    createFilter: (context) => new TtlCompactionFilter(ttl, clock, user.filter ?? user.factory?.createFilter(context)),
  };
}

/** The user's operator over values and operands without their times; results get the time of the merge. */
export function ttlMergeOperator(user: MergeOperator, clock: Clock): MergeOperator {
  const partial = user.partialMerge?.bind(user);
  const operator: MergeOperator = {
    name: 'TtlMergeOperator',
    fullMerge(key, base, operands) {
      const merged = user.fullMerge(key, base === undefined ? undefined : valueOf(base), operands.map(valueOf));
      return withTimestamp(merged, nowSeconds(clock));
    },
  };
  if (partial === undefined) return operator;
  operator.partialMerge = (key, left, right) => {
    const merged = partial(key, valueOf(left), valueOf(right));
    return merged === undefined ? undefined : withTimestamp(merged, nowSeconds(clock));
  };
  return operator;
}
