/** What a point lookup came to: outcomes, and the result struct that it fills. */

/** Outcomes of `blockGet`. */
export const GET_ABSENT: i32 = 0;
export const GET_FOUND: i32 = 1;
export const GET_BLOCK_ENDED: i32 = 2;
export const GET_CORRUPT: i32 = -1;
/** Of `tableGet`: the block must be brought first. Shares its number with `GET_BLOCK_ENDED`, which `tableGet` never returns. */
export const GET_NEED_BLOCK: i32 = 2;
/** Of a search that could not decide: another must. */
export const GET_UNDECIDED: i32 = 3;

/** The result: `GetResultField` in `abi/block.ts`. */
export const R_TYPE: usize = 0;
export const R_VALUE: usize = 4;
export const R_VALUE_SIZE: usize = 8;
export const R_BLOCK: usize = 12;
export const R_SEQUENCE: usize = 16;
export const R_HANDLE_OFFSET: usize = 24;
export const R_HANDLE_SIZE: usize = 32;

/** Writes what was found. */
// @ts-ignore: decorator
@inline
export function getFound(result: usize, trailer: u64, value: usize, valueSize: u32): i32 {
  store<u32>(result, <u32>trailer & 0xff, R_TYPE);
  store<u32>(result, <u32>value, R_VALUE);
  store<u32>(result, valueSize, R_VALUE_SIZE);
  store<f64>(result, <f64>(trailer >> 8), R_SEQUENCE);
  return GET_FOUND;
}
