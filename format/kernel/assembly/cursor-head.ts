/** The head that cursors of all kinds share: offsets of its fields, all u32. `README.md` says what they mean. */

export const KIND_BLOCK: u32 = 1;
export const KIND_MEMTABLE: u32 = 2;
export const KIND_HOST: u32 = 3;

export const C_KIND: usize = 0;
export const C_VALID: usize = 4;
export const C_KEY: usize = 8;
export const C_KEY_SIZE: usize = 12;
export const C_VALUE: usize = 16;
export const C_VALUE_SIZE: usize = 20;
export const C_ERROR: usize = 24;
export const C_TAG: usize = 28;
/** Bytes of the head; what follows is private to the kind. */
export const CURSOR_HEAD_SIZE: usize = 32;
