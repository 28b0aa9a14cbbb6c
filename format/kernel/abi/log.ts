/** What `assembly/log-record.ts` exports: framing of records of the WAL and the MANIFEST. */
export interface LogExports {
  /** Bytes that framing `size` bytes takes at most, wherever in a block it begins. */
  logFramedSizeMax(size: number): number;
  /**
   * Frames the logical record of `size` bytes at `payload` into `out`, which stands at `blockOffset` (0..32767) of a 32 KiB
   * block of the file, and returns the bytes written (`logFramedSizeMax` must fit). `recyclable` 1 writes headers of 11
   * bytes with the low 32 bits of `logNumber`, 0 the plain ones of 7. An empty record is a record too.
   */
  logFrame(
    payload: number,
    size: number,
    out: number,
    blockOffset: number,
    recyclable: number,
    logNumber: number,
  ): number;
}
