/** Says what merge records mean. Its name is stored in the OPTIONS file and in table properties. */
export interface MergeOperator {
  readonly name: string;
  /**
   * The value that `operands` (oldest first) make of `base`; `undefined` base: the key had no value. The arrays are
   * borrowed for the call. A throw fails the read or keeps the operands unmerged; nothing is lost.
   */
  fullMerge(key: Uint8Array, base: Uint8Array | undefined, operands: Uint8Array[]): Uint8Array;
  /** One operand equal in effect to `left` then `right`, or `undefined` when there is none. */
  partialMerge?(key: Uint8Array, left: Uint8Array, right: Uint8Array): Uint8Array | undefined;
}
