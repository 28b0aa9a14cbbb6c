/** Compares the whole database with the expected state, by iterators and by gets. */
import { ABSENT, type ExpectedState } from './expected-state.ts';
import type { StressSettings } from './stress-flags.ts';
import type { StressStore } from './stress-store.ts';
import { VerificationFailure } from './verification-failure.ts';

/** Keys that are compared at once. */
const CHUNK = 8192;
/** Keys that are read by gets, too; of more keys, as many that lie evenly apart. */
const GETS_MAX = 20_000;

/**
 * REQUIRES that no write is under way. `afterCrash`: writes that were under way when the process died may be there or
 * not; what is there counts from then on. Returns the number of keys that exist.
 */
export async function verifyDatabase(
  store: StressStore,
  expected: ExpectedState,
  settings: StressSettings,
  afterCrash: boolean,
): Promise<number> {
  let present = 0;
  const total = settings.maxKey * settings.columnFamilies;
  for (let begin = 0; begin < total; ) {
    const familyEnd = (Math.floor(begin / settings.maxKey) + 1) * settings.maxKey;
    const end = Math.min(begin + CHUNK, familyEnd);
    const values = await store.scan(begin, end, false);
    for (let key = begin; key < end; key++) {
      const found = values.get(key) ?? ABSENT;
      checkKey(expected, key, found, afterCrash, 'an iterator');
      if (found !== ABSENT) present++;
    }
    begin = end;
  }
  const step = Math.max(1, Math.floor(total / GETS_MAX));
  for (let key = 0; key < total; key += step) checkKey(expected, key, await store.get(key), false, 'get');
  return present;
}

/** Compares one key. */
export function checkKey(expected: ExpectedState, key: number, found: number, afterCrash: boolean, by: string): void {
  const [settled, pending] = [expected.settled(key), expected.pending(key)];
  if (found === settled && settled === pending) return;
  if (afterCrash && (found === settled || found === pending)) {
    expected.settle(key, found);
    return;
  }
  const allowed =
    pending === settled || !afterCrash ? describe(settled) : `${describe(settled)} or ${describe(pending)}`;
  throw new VerificationFailure(`key ${key} read by ${by}: expected ${allowed}, found ${describe(found)}`);
}

function describe(value: number): string {
  return value === ABSENT ? 'no value' : `value ${value}`;
}
