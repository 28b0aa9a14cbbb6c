/**
 * What the process that dies tells the process that judges, over a pipe that outlives it: one line an event, each a
 * single write below PIPE_BUF, so that a kill never cuts a line.
 */

import type { KillPoint } from '../../src/env/fault-injection-file-system.ts';

/** How writes are made durable in a run. */
export type WriteMode = 'sync' | 'nosync' | 'manualWalFlush';

/** All modes. */
export const WRITE_MODES: readonly WriteMode[] = ['sync', 'nosync', 'manualWalFlush'];

/** What a child is told, as JSON in its first argument. */
export interface ChildOrders {
  path: string;
  optionSet: string;
  mode: WriteMode;
  seed: number;
  /** Writes that may wait for their acknowledgement at the same time. */
  inFlight: number;
  /** Steps after which the child closes the database and ends by itself. */
  steps: number;
  /** Where the child kills itself, if it does. */
  killAt?: KillPoint;
}

/** `S` opening, `O` opened, `B n` issued, `A n` acknowledged, `D n` durable up to n, `C` closed. */
export type ChildEvent =
  | { kind: 'starting' | 'open' | 'closed' }
  | { kind: 'begun' | 'acknowledged' | 'durable'; number: number };

/** One event as a line. */
export function formatEvent(event: ChildEvent): string {
  switch (event.kind) {
    case 'starting':
      return 'S\n';
    case 'open':
      return 'O\n';
    case 'closed':
      return 'C\n';
    case 'begun':
      return `B ${event.number}\n`;
    case 'acknowledged':
      return `A ${event.number}\n`;
    case 'durable':
      return `D ${event.number}\n`;
  }
}

/** The event of a line; undefined for an empty one. */
export function parseEvent(line: string): ChildEvent | undefined {
  const rest = line.slice(2);
  switch (line[0]) {
    case 'S':
      return { kind: 'starting' };
    case 'O':
      return { kind: 'open' };
    case 'C':
      return { kind: 'closed' };
    case 'B':
      return { kind: 'begun', number: Number(rest) };
    case 'A':
      return { kind: 'acknowledged', number: Number(rest) };
    case 'D':
      return { kind: 'durable', number: Number(rest) };
    default:
      return undefined;
  }
}
