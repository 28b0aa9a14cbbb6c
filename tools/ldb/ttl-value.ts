/** Values of a database with a time to live: the value, then the Unix time of its write in four bytes. */
import { concatBytes } from '../../format/base/bytes.ts';
import { getFixed32, setFixed32 } from '../../format/base/coding.ts';
import { corruption } from '../../format/base/db-error.ts';

const TIME_SIZE = 4;

/** Earliest and latest time that RocksDB's tool shows. */
export const TTL_TIME_MIN = 1368146402;
export const TTL_TIME_MAX = 2147483647;

function checkSize(stored: Uint8Array): void {
  if (stored.length < TIME_SIZE) throw corruption("value's length is less than a timestamp's");
}

/** The value alone: a view of `stored`. CORRUPTION when there is no room for a time. */
export function withoutTime(stored: Uint8Array): Uint8Array {
  checkSize(stored);
  return stored.subarray(0, stored.length - TIME_SIZE);
}

/** When it was written, in Unix seconds. CORRUPTION when there is no room for a time. */
export function timeOf(stored: Uint8Array): number {
  checkSize(stored);
  return getFixed32(stored, stored.length - TIME_SIZE) | 0;
}

/** The value with a time behind it. */
export function withTime(value: Uint8Array, seconds: number): Uint8Array {
  const time = new Uint8Array(TIME_SIZE);
  setFixed32(time, 0, seconds);
  return concatBytes([value, time]);
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Unix seconds as C's `ctime` writes them, in local time: `Sat Nov 21 23:43:22 2026`. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0'));
  const day = String(date.getDate()).padStart(2);
  return `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${day} ${clock.join(':')} ${date.getFullYear()}`;
}
