/** Offsets in a block cursor, behind the head that all cursors share. Addresses, sizes and flags are u32. */

export const C_BLOCK: usize = 32;
export const C_RESTARTS: usize = 36; // address of the restart offsets, the end of the entries
export const C_NUM_RESTARTS: usize = 40;
export const C_FLAGS: usize = 44;
export const C_COMPARATOR: usize = 48;
export const C_CURRENT: usize = 52; // address of the current entry
export const C_NEXT: usize = 56; // and of the one behind it
export const C_BUFFER: usize = 60; // key buffer, 0 none
export const C_BUFFER_CAPACITY: usize = 64; // slack excluded
export const C_GLOBAL: usize = 72; // u64: the global sequence, shifted to its place in a trailer
export const C_STORED_TRAILER: usize = 80; // u64: with a global sequence, the trailer as the file has it
export const C_HANDLE_OFFSET: usize = 88;
export const C_HANDLE_SIZE: usize = 96;
export const C_FIRST_KEY: usize = 104;
export const C_FIRST_KEY_SIZE: usize = 108;
export const C_ROWS: usize = 112; // address of the rows kept for stepping back, 0 none
export const C_NUM_ROWS: usize = 116;
export const C_ROW_KEYS_USED: usize = 120;

/** Bytes of a cursor. */
export const BLOCK_CURSOR_SIZE: u32 = 128;
