/** Reads a whole database back in every way the API has, and insists that all ways agree. */

import { expect } from 'vitest';
import type { ColumnFamily, DB, ReadOptions } from '../../src/index.ts';
import { hex, unhex } from './bytes.ts';

/** What can be read: a database (its default family) or one of its families. */
export type Readable = Pick<DB | ColumnFamily, 'newIterator' | 'get' | 'getSync' | 'multiGetSync' | 'entries'>;

/** Rows as `hex(key)=hex(value)`, by a cursor from the first to the last. */
export function scanForward(source: Readable, options: ReadOptions = {}): string[] {
  using cursor = source.newIterator(options);
  const rows: string[] = [];
  for (cursor.seekToFirstSync(); cursor.valid; cursor.nextSync()) {
    rows.push(`${hex(cursor.key)}=${hex(cursor.value)}`);
  }
  throwStatus(cursor.status());
  return rows;
}

/** The same rows by a cursor from the last to the first, given back in forward order. */
export function scanBackward(source: Readable, options: ReadOptions = {}): string[] {
  using cursor = source.newIterator(options);
  const rows: string[] = [];
  for (cursor.seekToLastSync(); cursor.valid; cursor.prevSync()) {
    rows.push(`${hex(cursor.key)}=${hex(cursor.value)}`);
  }
  throwStatus(cursor.status());
  return rows.reverse();
}

/** The same rows by asynchronous iteration. */
export async function scanEntries(source: Readable, options: ReadOptions = {}): Promise<string[]> {
  const rows: string[] = [];
  for await (const [key, value] of source.entries(options)) {
    rows.push(`${hex(key)}=${hex(value)}`);
  }
  return rows;
}

/** Fails unless forward, backward and asynchronous scans and single and multiple gets all give `rows`. */
export async function expectRows(source: Readable, rows: readonly string[]): Promise<void> {
  expect(scanForward(source)).toEqual(rows);
  expect(scanBackward(source)).toEqual(rows);
  expect(await scanEntries(source)).toEqual(rows);
  const keys = rows.map((row) => unhex(row.slice(0, row.indexOf('='))));
  for (const [index, key] of keys.entries()) {
    // Awaiting each of some thousand gets would double the time and prove little: every eighth is asynchronous.
    const value = index % 8 === 0 ? await source.get(key) : source.getSync(key);
    expect(value === undefined ? undefined : `${hex(key)}=${hex(value)}`).toBe(rows[index]);
  }
  const values = source.multiGetSync(keys);
  expect(values.map((value, index) => `${hex(keys[index]!)}=${value === undefined ? 'absent' : hex(value)}`)).toEqual(
    rows,
  );
}

function throwStatus(error: Error | undefined): void {
  if (error !== undefined) {
    throw error;
  }
}
