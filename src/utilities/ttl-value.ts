/**
 * Values with the time they were written: RocksDB's DBWithTTL stores every value and merge operand with four more bytes, the
 * Unix time in seconds, little-endian.
 */
import { setFixed32, getFixed32 } from '../../format/base/coding.ts';
import { corruption } from '../../format/base/db-error.ts';
import type { Clock } from '../env/clock.ts';

/** Bytes behind each value. */
export const TIMESTAMP_SIZE = 4;
/** When DBWithTTL came into being; no honest timestamp is earlier. */
export const TIMESTAMP_MIN = 1_368_146_402;

/** Unix seconds. */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMillis() / 1000);
}

/** A copy of `value` with `seconds` behind it. */
export function withTimestamp(value: Uint8Array | string, seconds: number): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const stamped = new Uint8Array(bytes.length + TIMESTAMP_SIZE);
  stamped.set(bytes);
  setFixed32(stamped, bytes.length, seconds);
  return stamped;
}

/** When a stored value was written. REQUIRES at least `TIMESTAMP_SIZE` bytes. */
export function timestampOf(stored: Uint8Array): number {
  return getFixed32(stored, stored.length - TIMESTAMP_SIZE);
}

/** The value in a stored one, a view of it. `CORRUPTION` when it is too short to hold a time. */
export function plainValue(stored: Uint8Array): Uint8Array {
  if (stored.length >= TIMESTAMP_SIZE) return stored.subarray(0, stored.length - TIMESTAMP_SIZE);
  throw corruption(`a value of a TTL database has ${stored.length} bytes, its timestamp alone takes ${TIMESTAMP_SIZE}`);
}

/** The same, and `CORRUPTION` for a time before there were TTL databases: such a value was not written by one. */
export function checkedPlainValue(stored: Uint8Array): Uint8Array {
  const value = plainValue(stored);
  const seconds = timestampOf(stored);
  if (seconds >= TIMESTAMP_MIN) return value;
  throw corruption(
    `the timestamp ${seconds} of a value lies before ${TIMESTAMP_MIN}, when TTL databases came into being`,
  );
}

/** Whether a stored value has outlived `ttlSeconds`; never for 0 or less. Values too short to tell have not. */
export function isStale(stored: Uint8Array, ttlSeconds: number, now: number): boolean {
  if (ttlSeconds <= 0 || stored.length < TIMESTAMP_SIZE) return false;
  return timestampOf(stored) + ttlSeconds < now;
}
