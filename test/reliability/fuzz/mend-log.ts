/** Right checksums for the records of a damaged log, so that the damage is met by what reads the records. */

import { getFixed16, setFixed32 } from '../../../format/base/coding.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import {
  isRecyclableType,
  LOG_BLOCK_SIZE,
  LOG_HEADER_SIZE,
  RECYCLABLE_LOG_HEADER_SIZE,
} from '../../../format/log/log-format.ts';
import { withKey } from '../../format/sst/table-support.ts';

/** Sums every physical record up to the first whose length cannot be. Changes `bytes`. */
export function mendLog(bytes: Uint8Array): void {
  for (let block = 0; block < bytes.length; block += LOG_BLOCK_SIZE) {
    mendBlock(bytes, block, Math.min(bytes.length, block + LOG_BLOCK_SIZE));
  }
}

function mendBlock(bytes: Uint8Array, start: number, end: number): void {
  const { x } = getKernel();
  for (let at = start; at + LOG_HEADER_SIZE <= end; ) {
    const length = getFixed16(bytes, at + 4);
    const type = bytes[at + 6]!;
    const next = at + (isRecyclableType(type) ? RECYCLABLE_LOG_HEADER_SIZE : LOG_HEADER_SIZE) + length;
    if (next > end || (type === 0 && length === 0)) return;
    const sum = withKey(bytes.subarray(at + 6, next), (from, size) => x.crc32cMask(x.crc32c(from, size)));
    setFixed32(bytes, at, sum >>> 0);
    at = next;
  }
}
