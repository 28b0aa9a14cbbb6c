/**
 * The compaction filter and the merge operator of TTL databases, around the user's own. Worker threads load them from this
 * module where they can: with the system's clock, and around nothing but built-in components.
 */
import { mergeOperatorByName } from '../../format/base/builtin-merge-operators.ts';
import type { CompactionFilter, CompactionFilterFactory, FilterVerdict } from '../../format/base/compaction-filter.ts';
import type { MergeOperator } from '../../format/base/merge-operator.ts';
import { type Clock, SystemClock } from '../env/clock.ts';
import type { Component } from '../options/components.ts';
import type { ModuleRef } from '../options/options.ts';
import { isStale, nowSeconds, timestampOf, plainValue, withTimestamp } from './ttl-value.ts';

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
    const verdict = this.#user.filter(level, key, plainValue(stored));
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
    // As DBWithTTL stores itself in the OPTIONS file, so that both find the inner operator there.
    name: `{id=TtlMergeOperator;user_operator=${user.name};}`,
    fullMerge(key, base, operands) {
      const merged = user.fullMerge(key, base === undefined ? undefined : plainValue(base), operands.map(plainValue));
      return withTimestamp(merged, nowSeconds(clock));
    },
  };
  if (partial === undefined) return operator;
  operator.partialMerge = (key, left, right) => {
    const merged = partial(key, plainValue(left), plainValue(right));
    return merged === undefined ? undefined : withTimestamp(merged, nowSeconds(clock));
  };
  return operator;
}

/** Export of this module, for `filterOption`. */
export function compactionFilterFactory(ttl: TimeToLive): CompactionFilterFactory {
  return ttlFilterFactory(ttl, new SystemClock(), {});
}

/** Export of this module, for `operatorOption`. */
export function mergeOperator({ user }: { user: string }): MergeOperator {
  return ttlMergeOperator(mergeOperatorByName(user)!, new SystemClock());
}

/** What a family's `compactionFilterFactory` option is set to. Changes of `ttl` reach the worker threads with the next job. */
export function filterOption(
  ttl: TimeToLive,
  clock: Clock,
  user: { filter?: CompactionFilter | undefined; factory?: CompactionFilterFactory | undefined },
): CompactionFilterFactory | ModuleRef {
  const travels = clock instanceof SystemClock && user.filter === undefined && user.factory === undefined;
  if (!travels) return ttlFilterFactory(ttl, clock, user);
  return { module: import.meta.url, export: 'compactionFilterFactory', options: ttl };
}

/** What a family's `mergeOperator` option is set to. */
export function operatorOption({ value, ref }: Component<MergeOperator>, clock: Clock): MergeOperator | ModuleRef {
  if (!(clock instanceof SystemClock) || ref.kind !== 'builtin') return ttlMergeOperator(value, clock);
  return { module: import.meta.url, export: 'mergeOperator', options: { user: ref.name } };
}
