/** The databases under test/fixtures, written by the C++ libraries, with what those read back from them. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './source-files.ts';

/** The four answers to a damaged log, by the names the fixtures use. */
export type FixtureRecoveryMode =
  | 'tolerate-corrupted-tail'
  | 'absolute-consistency'
  | 'point-in-time'
  | 'skip-any-corrupted';

/** What C++ RocksDB did with a damaged log in one mode. */
export interface FixtureRecovery {
  ok: boolean;
  error?: string;
  entries?: number;
  lastSequence?: number;
}

/** The text of fixture.json. */
export interface FixtureDescription {
  name: string;
  writer: string;
  options: string;
  features: string[];
  columnFamilies?: {
    name: string;
    id: number;
    comparator: string;
    mergeOperator: string | null;
    entries: number;
  }[];
  lastSequence?: number;
  recovery?: Record<FixtureRecoveryMode, FixtureRecovery>;
}

/** One golden database. `path` must never be opened: work on a copy. */
export interface Fixture {
  name: string;
  path: string;
  description: FixtureDescription;
}

/** Rows of one family in its comparator's order, as `hex(key)=hex(value)`. */
export type FamilyRows = Map<string, string[]>;

const FIXTURES = join(PROJECT_ROOT, 'test/fixtures');

/** Every golden database, by name. */
export function allFixtures(): Fixture[] {
  const names = readdirSync(FIXTURES).filter((name) => existsSync(join(FIXTURES, name, 'fixture.json')));
  return names.sort().map((name) => ({
    name,
    path: join(FIXTURES, name, 'db'),
    description: JSON.parse(readFileSync(join(FIXTURES, name, 'fixture.json'), 'utf8')) as FixtureDescription,
  }));
}

/** What the C++ library reads back; `mode` for the databases with damaged logs. Every family has an entry. */
export function expectedRows(fixture: Fixture, mode?: FixtureRecoveryMode): FamilyRows {
  const file = mode === undefined ? 'expected.jsonl' : `expected.${mode}.jsonl`;
  const rows: FamilyRows = new Map([['default', []]]);
  for (const family of fixture.description.columnFamilies ?? []) {
    rows.set(family.name, []);
  }
  for (const line of readFileSync(join(FIXTURES, fixture.name, file), 'utf8').split('\n')) {
    if (line === '') {
      continue;
    }
    const row = JSON.parse(line) as { cf: string; k: string; v: string };
    const family = rows.get(row.cf) ?? [];
    family.push(`${row.k}=${row.v}`);
    rows.set(row.cf, family);
  }
  return rows;
}
