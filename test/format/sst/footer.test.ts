/** Footers of both magics and all versions: golden bytes, round trips, and every way to be refused. */
import { describe, expect, test } from 'vitest';
import { decodeFooter, encodeFooter, type Footer } from '../../../format/sst/footer.ts';

const golden = {
  tiny: `01a4084f910112${'00'.repeat(34)}05000000f7cff485b741e288`,
  v6: `043e007a003b36f3a76b07612e69000000${'00'.repeat(24)}06000000f7cff485b741e288`,
};
/** Of modern-10.5-fv6/000009.sst. */
const size = 14649;

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function decodes(bytes: Uint8Array, fileSize = bytes.length): Footer {
  return decodeFooter(bytes, fileSize, 'x.sst');
}

describe('golden footers', () => {
  test('of tiny/000009.sst', () => {
    const footer = decodes(bytesOf(golden.tiny), 1197);
    expect(footer).toEqual({
      formatVersion: 5,
      checksumId: 1,
      metaindex: { offset: 1060, size: 79 },
      index: { offset: 145, size: 18 },
      baseContextChecksum: 0,
    });
    expect(Buffer.from(encodeFooter(footer, 1144)).toString('hex')).toBe(golden.tiny);
  });

  test('of format_version 6: checksum, context and metaindex before the footer', () => {
    // The checksum covers the footer's place, so only the file's true size is accepted.
    expect(() => decodes(bytesOf(golden.v6), size + 1)).toThrow(/Footer checksum mismatch/);
    const footer = decodes(bytesOf(golden.v6), size);
    expect(footer).toEqual({
      formatVersion: 6,
      checksumId: 4,
      metaindex: { offset: size - 53 - 5 - 105, size: 105 },
      index: undefined,
      baseContextChecksum: 0x2e61076b,
    });
    expect(Buffer.from(encodeFooter(footer, size - 53)).toString('hex')).toBe(golden.v6);
  });
});

test('every version and checksum comes back as it was written', () => {
  for (const formatVersion of [0, 1, 2, 3, 4, 5, 6, 7]) {
    for (const checksumId of formatVersion === 0 ? [1] : [0, 1, 2, 3, 4]) {
      const context = formatVersion >= 6;
      const size = 100_000;
      const footerSize = formatVersion === 0 ? 48 : 53;
      const footer: Footer = {
        formatVersion,
        checksumId,
        metaindex: { offset: size - footerSize - 5 - 300, size: 300 },
        index: context ? undefined : { offset: 1234, size: 4321 },
        baseContextChecksum: context ? 0xdeadbeef : 0,
      };
      const bytes = encodeFooter(footer, size - footerSize);
      expect(bytes.length).toBe(footerSize);
      expect(decodes(bytes, size)).toEqual(footer);
    }
  }
});

describe('refused', () => {
  test('short files, other magics, versions and checksums that do not exist', () => {
    expect(() => decodes(new Uint8Array(0))).toThrow(/too short \(0 bytes\) to be an sstable: x.sst/);
    expect(() => decodes(bytesOf(golden.tiny).subarray(10))).toThrow(/too short/);
    expect(() => decodes(new Uint8Array(53))).toThrow(/Bad table magic number.*0000000000000000/);
    const patch = (at: number, ...values: number[]) => {
      const bytes = bytesOf(golden.tiny);
      bytes.set(values, at);
      return bytes;
    };
    expect(() => decodes(patch(41, 8))).toThrow(/Corrupt or unsupported format_version: 8 in x.sst/);
    expect(() => decodes(patch(41, 0))).toThrow(/format_version: 0/);
    expect(() => decodes(patch(0, 5))).toThrow(/Corrupt or unsupported checksum type: 5 in x.sst/);
    expect(() => decodes(patch(1, ...new Array<number>(40).fill(0xff)))).toThrow(/block handle/);
  });

  test('any flipped bit of a version 6 footer, unless it makes it one of a version without a checksum', () => {
    const good = encodeFooter(
      {
        formatVersion: 6,
        checksumId: 4,
        metaindex: { offset: size - 358, size: 300 },
        index: undefined,
        baseContextChecksum: 7,
      },
      size - 53,
    );
    for (let bit = 0; bit < 53 * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      if (bad[41]! < 6 && bad[41]! > 0) continue;
      expect(() => decodes(bad, size), `bit ${bit}`).toThrow();
    }
  });
});
