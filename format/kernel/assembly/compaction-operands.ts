/** Merge operands that a compaction gathers for the host to fold: copies, because their blocks may be gone by then. */
import {
  CI_BYTES,
  CI_BYTES_USED,
  CI_OPERANDS,
  CI_OPERAND_CAPACITY,
  CI_OPERAND_COUNT,
  OPERAND_ROW,
} from './compaction-layout';
import { C_VALUE, C_VALUE_SIZE } from './cursor-head';
import { free, malloc, SLACK } from './memory';

/** Copies an operand: its block may be gone when the host folds. */
export function addOperand(ci: usize, cursor: usize, sequence: u64): bool {
  const size = load<u32>(cursor, C_VALUE_SIZE);
  const used = load<u32>(ci, CI_BYTES_USED);
  const index = load<u32>(ci, CI_OPERAND_COUNT);
  if (!reserve(ci, CI_BYTES, used, <u64>used + size)) return false;
  const rows = load<u32>(ci, CI_OPERAND_CAPACITY);
  if (index == rows) {
    const grown = malloc((rows * 2 + 8) * OPERAND_ROW);
    if (grown == 0) return false;
    memory.copy(grown, load<u32>(ci, CI_OPERANDS), index * OPERAND_ROW);
    free(load<u32>(ci, CI_OPERANDS));
    store<u32>(ci, <u32>grown, CI_OPERANDS);
    store<u32>(ci, rows * 2 + 8, CI_OPERAND_CAPACITY);
  }
  memory.copy(<usize>load<u32>(ci, CI_BYTES) + used, load<u32>(cursor, C_VALUE), size);
  const row = <usize>load<u32>(ci, CI_OPERANDS) + index * OPERAND_ROW;
  store<u32>(row, used);
  store<u32>(row, size, 4);
  store<f64>(row, <f64>sequence, 8);
  store<u32>(ci, used + size, CI_BYTES_USED);
  store<u32>(ci, index + 1, CI_OPERAND_COUNT);
  return true;
}

/** Makes the buffer whose address stands at `field` (its capacity behind it) hold `size` bytes, keeping the first `used`. */
function reserve(ci: usize, field: usize, used: u32, size: u64): bool {
  if (size <= <u64>load<u32>(ci + field + 4)) return true;
  const wanted = size + (size >> 1) + 256;
  if (wanted > 0x7fffffff) return false;
  const grown = malloc(<u32>wanted + <u32>SLACK);
  if (grown == 0) return false;
  memory.copy(grown, load<u32>(ci + field), used);
  free(load<u32>(ci + field));
  store<u32>(ci + field, <u32>grown);
  store<u32>(ci + field + 4, <u32>wanted);
  return true;
}
