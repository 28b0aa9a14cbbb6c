/**
 * The hash table of a cache shard: slots in open addressing with linear probing, between three eighths and three quarters
 * full. A slot holds the whole key, so a miss touches one cache line.
 */
import {
  S_COUNT,
  S_MASK,
  S_SLOTS,
  SLOT_BLOCK,
  SLOT_OFFSET,
  SLOT_SIZE,
  SLOT_TABLE,
} from './cache-layout';
import { free, malloc } from './memory';

const SLOTS_MIN: u32 = 16;

/** Offsets and ids are small and regular; multiplying spreads them over the high half, from which shard and slot come. */
// @ts-ignore: decorator
@inline
export function hashOf(tableId: u32, offset: u64): u64 {
  const mixed = (offset ^ (<u64>tableId << 40)) * 0x9e3779b97f4a7c15;
  return (mixed ^ (mixed >> 32) ^ tableId) * 0xd6e8feb86659fd93;
}

/** The slot of a key, or the empty slot where it belongs; 0: the shard has no slots yet. */
// @ts-ignore: decorator
@inline
export function findSlot(shard: usize, hash: u64, tableId: u32, offset: u64): usize {
  const slots: usize = load<u32>(shard, S_SLOTS);
  if (slots == 0) return 0;
  const mask = load<u32>(shard, S_MASK);
  let i = <u32>(hash >> 12) & mask;
  let slot = slots + i * SLOT_SIZE;
  while (
    load<u32>(slot, SLOT_BLOCK) != 0 &&
    (load<u64>(slot, SLOT_OFFSET) != offset || load<u32>(slot, SLOT_TABLE) != tableId)
  ) {
    i = (i + 1) & mask;
    slot = slots + i * SLOT_SIZE;
  }
  return slot;
}

/** Makes sure of a free slot; false: out of memory. */
export function reserveSlot(shard: usize): bool {
  const slots: usize = load<u32>(shard, S_SLOTS);
  const old: u32 = slots == 0 ? 0 : load<u32>(shard, S_MASK) + 1;
  if ((load<u32>(shard, S_COUNT) + 1) << 2 <= old * 3) return true;
  const count = max(SLOTS_MIN, old << 1);
  const grown = malloc(count * SLOT_SIZE);
  if (grown == 0) return false;
  memory.fill(grown, 0, count * SLOT_SIZE);
  store<u32>(shard, <u32>grown, S_SLOTS);
  store<u32>(shard, count - 1, S_MASK);
  const end = slots + old * SLOT_SIZE;
  for (let slot = slots; slot < end; slot += SLOT_SIZE) {
    if (load<u32>(slot) == 0) continue;
    const tableId = load<u32>(slot, SLOT_TABLE);
    const offset = load<u64>(slot, SLOT_OFFSET);
    copySlot(findSlot(shard, hashOf(tableId, offset), tableId, offset), slot);
  }
  free(slots);
  return true;
}

/** Empties a slot, and moves those behind it up that a probe would no longer reach. */
export function closeGap(shard: usize, slot: usize): void {
  const slots: usize = load<u32>(shard, S_SLOTS);
  const mask = load<u32>(shard, S_MASK);
  let gap = <u32>(slot - slots) / SLOT_SIZE;
  for (let i = (gap + 1) & mask; ; i = (i + 1) & mask) {
    const from = slots + i * SLOT_SIZE;
    if (load<u32>(from) == 0) break;
    const home = <u32>(hashOf(load<u32>(from, SLOT_TABLE), load<u64>(from, SLOT_OFFSET)) >> 12) & mask;
    // A slot may move into the gap unless its home lies between the two.
    if (((i - home) & mask) < ((i - gap) & mask)) continue;
    copySlot(slots + gap * SLOT_SIZE, from);
    gap = i;
  }
  store<u32>(slots + gap * SLOT_SIZE, 0);
}

// @ts-ignore: decorator
@inline
function copySlot(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}
