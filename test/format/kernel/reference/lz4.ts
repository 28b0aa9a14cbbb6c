/** Decoding LZ4's raw block format byte by byte; undefined for corrupt input or more than `capacity` bytes. */
export function lz4Reference(
  input: Uint8Array,
  capacity: number,
  dictionary: Uint8Array = new Uint8Array(),
): number[] | undefined {
  const out: number[] = [...dictionary];
  const limit = dictionary.length + capacity;
  let p = 0;
  const lengthOf = (nibble: number): number | undefined => {
    let length = nibble;
    if (nibble !== 15) return length;
    for (;;) {
      const byte = input[p++];
      if (byte === undefined) return undefined;
      length += byte;
      if (byte !== 255) return length;
    }
  };
  while (p < input.length) {
    const token = input[p++]!;
    const literals = lengthOf(token >> 4);
    if (literals === undefined || p + literals > input.length || out.length + literals > limit) return undefined;
    for (let i = 0; i < literals; i++) out.push(input[p++]!);
    if (p === input.length) return (token & 15) === 0 ? out.slice(dictionary.length) : undefined;
    if (p + 2 > input.length) return undefined;
    const offset = input[p]! + 256 * input[p + 1]!;
    p += 2;
    const matched = lengthOf(token & 15);
    if (matched === undefined || offset === 0 || offset > out.length) return undefined;
    if (out.length + matched + 4 > limit) return undefined;
    for (let i = 0; i < matched + 4; i++) out.push(out[out.length - offset]!);
  }
  return undefined;
}
