/**
 * Checks options that hold live objects without a stored name: an object that lacks a method is refused at `open`, not when
 * the engine first calls it.
 */
import { invalidArgument } from '../../format/base/db-error.ts';
import { describe } from './components.ts';
import type { ColumnFamilyOptions, Options } from './options.ts';

function requireObject(option: string, value: unknown, methods: readonly string[], what: string): void {
  const lacks = (method: string): boolean => typeof (value as Record<string, unknown>)[method] !== 'function';
  if (typeof value !== 'object' || value === null || methods.some(lacks)) {
    throw invalidArgument(`options.${option} must be ${what}, got ${describe(value)}`);
  }
}

/** Statistics, logger and listeners. `INVALID_ARGUMENT` names the option. */
export function checkDatabaseObjects({ statistics, logger, listeners }: Options): void {
  if (statistics !== undefined) requireObject('statistics', statistics, ['count', 'record'], 'a Statistics');
  if (logger !== undefined) {
    requireObject('logger', logger, ['debug', 'info', 'warn', 'error'], 'a Logger with debug, info, warn and error');
  }
  if (listeners === undefined) return;
  if (!Array.isArray(listeners)) throw invalidArgument('options.listeners must be an array');
  for (const [index, listener] of listeners.entries()) {
    requireObject(`listeners[${index}]`, listener, [], 'an EventListener');
  }
}

/** Memtable factory and block cache. `INVALID_ARGUMENT` names the option. */
export function checkFamilyObjects(given: ColumnFamilyOptions): void {
  const { memtableFactory, blockCache, blockCacheCompressed } = given;
  if (memtableFactory !== undefined) {
    requireObject('memtableFactory', memtableFactory, ['create'], 'an object with a create() method');
  }
  for (const [name, cache] of Object.entries({ blockCache, blockCacheCompressed })) {
    if (cache === undefined) continue;
    requireObject(name, cache, ['close'], 'a BlockCache');
    if (typeof cache.capacity !== 'number') throw invalidArgument(`options.${name} must be a BlockCache`);
  }
  if (blockCacheCompressed !== undefined && blockCacheCompressed === blockCache) {
    throw invalidArgument('options.blockCacheCompressed must be another cache than options.blockCache');
  }
}
