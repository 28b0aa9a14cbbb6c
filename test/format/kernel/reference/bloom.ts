/** Bloom filters bit by bit, after the description of the format. Hashes are what `filter-hash.ts` gives. */

function setBit(line: Uint8Array, bit: number): void {
  line[bit >> 3]! |= 1 << (bit & 7);
}

/** A FastLocalBloom block of `size` bytes with `probes` probes a key. */
export function bloomReference(hashes: readonly bigint[], size: number, probes: number): Uint8Array {
  const block = new Uint8Array(size);
  const lines = BigInt((size - 5) / 64);
  for (const hash of hashes) {
    const line = Number(((hash & 0xffffffffn) * lines) >> 32n) * 64;
    let g = Number(hash >> 32n);
    for (let i = 0; i < probes; i++) {
      setBit(block.subarray(line, line + 64), g >>> 23);
      g = Math.imul(g, 0x9e3779b9) >>> 0;
    }
  }
  block.set([0xff, 0, probes, 0, 0], size - 5);
  return block;
}

/** A legacy block of `size` bytes with lines of `lineSize` bytes. */
export function legacyBloomReference(
  hashes: readonly number[],
  size: number,
  probes: number,
  lineSize = 64,
): Uint8Array {
  const block = new Uint8Array(size);
  const lines = (size - 5) / lineSize;
  for (const hash of hashes) {
    const start = (hash % lines) * lineSize;
    const delta = ((hash >>> 17) | (hash << 15)) >>> 0;
    let h = hash;
    for (let i = 0; i < probes; i++) {
      setBit(block.subarray(start, start + lineSize), h % (8 * lineSize));
      h = (h + delta) >>> 0;
    }
  }
  block[size - 5] = probes;
  new DataView(block.buffer).setUint32(size - 4, lines, true);
  return block;
}
