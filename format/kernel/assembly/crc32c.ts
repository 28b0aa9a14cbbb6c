/**
 * CRC-32C (Castagnoli), reflected. Sixteen tables let one step take 16 bytes; a single stream of such steps waits for its
 * own result, so longer inputs run as three streams side by side whose sums are joined by shifting them over each other.
 */

const POLYNOMIAL: u32 = 0x82f63b78;
const MASK_DELTA: u32 = 0xa282ead8;
const TABLE_COUNT: u32 = 16;
const TABLE_SIZE: u32 = 1024;

/** Bytes of one of the three streams: long for bulk, short for what is left. */
const LONG_STREAM: u32 = 2048;
const SHORT_STREAM: u32 = 256;

/** Table k: the sum of a byte that k zero bytes follow. */
const TABLES: usize = memory.data(16384, 64);
/** Four tables, one a byte of the sum: the sum after LONG_STREAM (SHORT_STREAM) zero bytes. */
const LONG_SHIFT: usize = memory.data(4096, 64);
const SHORT_SHIFT: usize = memory.data(4096, 64);

prepare();

/**
 * Fills the tables at instantiation. Another thread may be using them: every entry is written once, with the value that it
 * has already if this is not the first instance.
 */
function prepare(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let sum = i;
    for (let bit = 0; bit < 8; bit++) sum = (sum >> 1) ^ (POLYNOMIAL & (0 - (sum & 1)));
    store<u32>(TABLES + (i << 2), sum);
  }
  for (let k: u32 = 1; k < TABLE_COUNT; k++) {
    const table = TABLES + k * TABLE_SIZE;
    for (let i: u32 = 0; i < 256; i++) {
      const sum = load<u32>(table - TABLE_SIZE + (i << 2));
      store<u32>(table + (i << 2), (sum >> 8) ^ load<u32>(TABLES + ((sum & 0xff) << 2)));
    }
  }
  prepareShift(LONG_SHIFT, LONG_STREAM);
  prepareShift(SHORT_SHIFT, SHORT_STREAM);
}

function prepareShift(tables: usize, size: u32): void {
  for (let byte: u32 = 0; byte < 4; byte++) {
    const table = tables + byte * TABLE_SIZE;
    for (let bit: u32 = 0; bit < 8; bit++) {
      let sum: u32 = 1 << (byte * 8 + bit);
      for (let i: u32 = 0; i < size; i++) sum = (sum >> 8) ^ load<u32>(TABLES + ((sum & 0xff) << 2));
      store<u32>(table + (4 << bit), sum);
    }
    // The shift is linear: an entry is the sum of the entries of its bits.
    for (let i: u32 = 1; i < 256; i++) {
      const rest = i & (i - 1);
      if (rest != 0) store<u32>(table + (i << 2), load<u32>(table + (rest << 2)) ^ load<u32>(table + ((i ^ rest) << 2)));
    }
  }
}

// @ts-ignore: decorator
@inline
function shift(tables: usize, sum: u32): u32 {
  return (
    load<u32>(tables + ((sum & 0xff) << 2)) ^
    load<u32>(tables + (((sum >> 8) & 0xff) << 2), 1024) ^
    load<u32>(tables + (((sum >> 16) & 0xff) << 2), 2048) ^
    load<u32>(tables + ((sum >> 24) << 2), 3072)
  );
}

/** The sum after eight more bytes. */
// @ts-ignore: decorator
@inline
function step8(sum: u32, p: usize): u32 {
  const word = load<u64>(p) ^ <u64>sum;
  const low = <u32>word;
  const high = <u32>(word >> 32);
  return (
    load<u32>(TABLES + ((low & 0xff) << 2), 7168) ^
    load<u32>(TABLES + (((low >> 8) & 0xff) << 2), 6144) ^
    load<u32>(TABLES + (((low >> 16) & 0xff) << 2), 5120) ^
    load<u32>(TABLES + ((low >> 24) << 2), 4096) ^
    load<u32>(TABLES + ((high & 0xff) << 2), 3072) ^
    load<u32>(TABLES + (((high >> 8) & 0xff) << 2), 2048) ^
    load<u32>(TABLES + (((high >> 16) & 0xff) << 2), 1024) ^
    load<u32>(TABLES + ((high >> 24) << 2))
  );
}

/** The part of a 16-byte step that comes from the first four or the next bytes; `base` is the offset of their table. */
// @ts-ignore: decorator
@inline
function part(word: u32, base: usize): u32 {
  const tables = TABLES + base;
  return (
    load<u32>(tables + ((word & 0xff) << 2), 3072) ^
    load<u32>(tables + (((word >> 8) & 0xff) << 2), 2048) ^
    load<u32>(tables + (((word >> 16) & 0xff) << 2), 1024) ^
    load<u32>(tables + ((word >> 24) << 2))
  );
}

// @ts-ignore: decorator
@inline
function step16(sum: u32, p: usize): u32 {
  return (
    part(load<u32>(p) ^ sum, 12288) ^ part(load<u32>(p, 4), 8192) ^ part(load<u32>(p, 8), 4096) ^ part(load<u32>(p, 12), 0)
  );
}

/** Three streams of `size` bytes each, beginning at `p`, after the sum so far. */
// @ts-ignore: decorator
@inline
function threeStreams(sum: u32, p: usize, size: u32, tables: usize): u32 {
  let a = sum;
  let b: u32 = 0;
  let c: u32 = 0;
  for (let q = p; q < p + size; q += 8) {
    a = step8(a, q);
    b = step8(b, q + size);
    c = step8(c, q + size + size);
  }
  return shift(tables, shift(tables, a) ^ b) ^ c;
}

/** Continues an unmasked CRC-32C over `size` more bytes. */
export function crc32cExtend(crc: u32, start: usize, size: u32): u32 {
  let sum = ~crc;
  let p = start;
  let rest = size;
  for (; rest >= LONG_STREAM * 3; rest -= LONG_STREAM * 3, p += LONG_STREAM * 3) {
    sum = threeStreams(sum, p, LONG_STREAM, LONG_SHIFT);
  }
  for (; rest >= SHORT_STREAM * 3; rest -= SHORT_STREAM * 3, p += SHORT_STREAM * 3) {
    sum = threeStreams(sum, p, SHORT_STREAM, SHORT_SHIFT);
  }
  for (; rest >= 16; rest -= 16, p += 16) sum = step16(sum, p);
  if (rest >= 8) {
    sum = step8(sum, p);
    rest -= 8;
    p += 8;
  }
  for (; rest > 0; rest--, p++) sum = (sum >> 8) ^ load<u32>(TABLES + (((sum ^ <u32>load<u8>(p)) & 0xff) << 2));
  return ~sum;
}

/** The CRC-32C of `size` bytes. */
export function crc32c(start: usize, size: u32): u32 {
  return crc32cExtend(0, start, size);
}

/** The form in which a CRC is stored in files, so that the CRC of bytes with CRCs in them stays strong. */
export function crc32cMask(crc: u32): u32 {
  return rotr<u32>(crc, 15) + MASK_DELTA;
}

/** The CRC that a masked one stands for. */
export function crc32cUnmask(masked: u32): u32 {
  return rotl<u32>(masked - MASK_DELTA, 15);
}
