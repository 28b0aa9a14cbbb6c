/**
 * The unique id of a table: 128 bits made of the identities of its database and session and of the number it was
 * written under. RocksDB prints it wherever it prints properties.
 */
import { utf8 } from '../../format/base/bytes.ts';
import type { TableProperties } from '../../format/sst/table-properties.ts';
import { bijectiveHash128, XXH3_128_SIZE_MAX, XXH3_128_SIZE_MIN, xxh3Hash128 } from './xxh3-128.ts';

const MASK = (1n << 64n) - 1n;
const SESSION_ID_SIZE_MIN = 13;
const SESSION_ID_SIZE_MAX = 24;
const SESSION_ID_LOW_DIGITS = 12;
/** They map an id of zeros to itself, so that zero can mean "none". */
const HIGH_OFFSET = 17391078804906429400n;
const LOW_OFFSET = 6417269962128484497n;

/** The two words of an id as the MANIFEST stores them. */
export interface InternalUniqueId {
  readonly first: bigint;
  readonly second: bigint;
}

function parseBase36(text: string): bigint | undefined {
  let value = 0n;
  for (const char of text) {
    const digit = Number.parseInt(char, 36);
    if (Number.isNaN(digit)) return undefined;
    value = value * 36n + BigInt(digit);
  }
  return value & MASK;
}

/** The internal id of a table; `undefined` when its properties do not tell, or are not what RocksDB writes. */
export function internalUniqueId(properties: TableProperties): InternalUniqueId | undefined {
  const { dbId, dbSessionId, originalFileNumber } = properties;
  const identity = utf8(dbId);
  if (identity.length < XXH3_128_SIZE_MIN || identity.length > XXH3_128_SIZE_MAX) return undefined;
  if (dbSessionId.length < SESSION_ID_SIZE_MIN || dbSessionId.length > SESSION_ID_SIZE_MAX) return undefined;
  if (originalFileNumber === 0) return undefined;
  const upper = parseBase36(dbSessionId.slice(0, -SESSION_ID_LOW_DIGITS));
  const lower = parseBase36(dbSessionId.slice(-SESSION_ID_LOW_DIGITS));
  if (upper === undefined || lower === undefined) return undefined;
  const hash = xxh3Hash128(identity, upper >> 2n);
  return {
    first: (lower & (MASK >> 2n)) | ((upper << 62n) & MASK),
    second: hash.high ^ BigInt(originalFileNumber),
  };
}

/** The id as it is shown: sixteen hex digits, a dash, sixteen more. */
export function publicUniqueIdText({ first, second }: InternalUniqueId): string {
  const { high, low } = bijectiveHash128((second + HIGH_OFFSET) & MASK, (first + LOW_OFFSET) & MASK);
  return `${littleEndianHex(low)}-${littleEndianHex(high)}`;
}

function littleEndianHex(word: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(word);
  return bytes.toString('hex').toUpperCase();
}

/** The id's text for a table, `N/A` when it has none. */
export function uniqueIdText(properties: TableProperties): string {
  const id = internalUniqueId(properties);
  return id === undefined ? 'N/A' : publicUniqueIdText(id);
}
