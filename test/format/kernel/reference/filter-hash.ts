/** The hashes of filters in BigInt, written after the description of the format: XXH3 preview and the 32-bit `Hash`. */

const M = (1n << 64n) - 1n;
/** Numbers that make up the hash: primes numbered from 1 as in its description, and the 192 bytes of the secret. */
export interface Hash64Constants {
  p64: Readonly<Record<1 | 2 | 3 | 4 | 5, bigint>>;
  p32: Readonly<Record<1 | 2 | 3, bigint>>;
  secret: Buffer;
}

function r64(b: Buffer, at: number): bigint {
  return b.readBigUInt64LE(at);
}

function r32(b: Buffer, at: number): bigint {
  return BigInt(b.readUInt32LE(at));
}

function fold(a: bigint, b: bigint): bigint {
  const product = a * b;
  return (product & M) ^ (product >> 64n);
}

/** `Hash64` with seed 0, made of given constants. */
export class Hash64 {
  private readonly p64: Hash64Constants['p64'];
  private readonly p32: Hash64Constants['p32'];
  private readonly secret: Buffer;

  constructor({ p64, p32, secret }: Hash64Constants) {
    this.p64 = p64;
    this.p32 = p32;
    this.secret = secret;
  }

  /** The hash of all of `bytes`. */
  of(bytes: Uint8Array): bigint {
    const b = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (b.length <= 16) return this.short(b, b.length);
    return b.length <= 240 ? this.middle(b, b.length) : this.long(b, b.length);
  }

  private avalanche(value: bigint): bigint {
    let h = value ^ (value >> 37n);
    h = (h * this.p64[3]) & M;
    return h ^ (h >> 32n);
  }

  private mix(b: Buffer, at: number, secret: number): bigint {
    return fold(r64(b, at) ^ r64(this.secret, secret), r64(b, at + 8) ^ r64(this.secret, secret + 8));
  }

  private short(b: Buffer, n: number): bigint {
    if (n === 0) return fold(r64(this.secret, 0), this.p64[2]);
    if (n <= 3) {
      const c = (b[0]! | (b[n >> 1]! << 8) | (b[n - 1]! << 16) | (n << 24)) >>> 0;
      return this.avalanche(((BigInt(c) ^ r32(this.secret, 0)) * this.p64[1]) & M);
    }
    if (n <= 8) {
      const k = (r32(b, 0) | (r32(b, n - 4) << 32n)) ^ r64(this.secret, 0);
      const m = (BigInt(n) + (k ^ (k >> 51n)) * this.p32[1]) & M;
      return this.avalanche(((m ^ (m >> 47n)) * this.p64[2]) & M);
    }
    const low = r64(b, 0) ^ r64(this.secret, 0);
    const high = r64(b, n - 8) ^ r64(this.secret, 8);
    return this.avalanche((BigInt(n) + low + high + fold(low, high)) & M);
  }

  private middle(b: Buffer, n: number): bigint {
    let sum = BigInt(n) * this.p64[1];
    if (n <= 128) {
      for (let i = 0; i <= (n - 1) >> 5; i++) {
        sum += this.mix(b, 16 * i, 32 * i) + this.mix(b, n - 16 * (i + 1), 32 * i + 16);
      }
      return this.avalanche(sum & M);
    }
    for (let i = 0; i < 8; i++) sum += this.mix(b, 16 * i, 16 * i);
    sum = this.avalanche(sum & M);
    for (let i = 8; i < n >> 4; i++) sum += this.mix(b, 16 * i, 16 * (i - 8) + 3);
    return this.avalanche((sum + this.mix(b, n - 16, 119)) & M);
  }

  private accumulate(lanes: bigint[], b: Buffer, at: number, secret: number): void {
    for (let i = 0; i < 8; i++) {
      const d = r64(b, at + 8 * i);
      const k = d ^ r64(this.secret, secret + 8 * i);
      lanes[i] = (lanes[i]! + d + (k & 0xffffffffn) * (k >> 32n)) & M;
    }
  }

  private long(b: Buffer, n: number): bigint {
    const lanes = [
      this.p32[3],
      this.p64[1],
      this.p64[2],
      this.p64[3],
      this.p64[4],
      this.p32[2],
      this.p64[5],
      this.p32[1],
    ];
    const blocks = Math.floor(n / 1024);
    for (let block = 0; block < blocks; block++) {
      for (let j = 0; j < 16; j++) this.accumulate(lanes, b, block * 1024 + j * 64, 8 * j);
      for (let i = 0; i < 8; i++) {
        const x = lanes[i]!;
        lanes[i] = ((x ^ (x >> 47n) ^ r64(this.secret, 128 + 8 * i)) * this.p32[1]) & M;
      }
    }
    for (let j = 0; j < Math.floor((n % 1024) / 64); j++) this.accumulate(lanes, b, blocks * 1024 + j * 64, 8 * j);
    if (n % 64 !== 0) this.accumulate(lanes, b, n - 64, 121);
    let sum = BigInt(n) * this.p64[1];
    for (let i = 0; i < 4; i++) {
      sum += fold(lanes[2 * i]! ^ r64(this.secret, 11 + 16 * i), lanes[2 * i + 1]! ^ r64(this.secret, 19 + 16 * i));
    }
    return this.avalanche(sum & M);
  }
}

const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221' +
    'b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb' +
    '170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);

const hash64 = new Hash64({
  p64: {
    1: 0x9e3779b185ebca87n,
    2: 0xc2b2ae3d27d4eb4fn,
    3: 0x165667b19e3779f9n,
    4: 0x85ebca77c2b2ae63n,
    5: 0x27d4eb2f165667c5n,
  },
  p32: { 1: 0x9e3779b1n, 2: 0x85ebca77n, 3: 0xc2b2ae3dn },
  secret: SECRET,
});

/** `Hash64` with seed 0. */
export function hash64Reference(bytes: Uint8Array): bigint {
  return hash64.of(bytes);
}

/** The 32-bit `Hash`; RocksDB's extends the sign of tail bytes, LevelDB's does not. */
export function hash32Reference(bytes: Uint8Array, seed: number, unsigned = false, multiplier = 0xc6a4a793): number {
  const tail = (at: number): number => (unsigned ? bytes[at]! : (bytes[at]! << 24) >> 24);
  const words = bytes.length >> 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let h = seed ^ Math.imul(bytes.length, multiplier);
  for (let i = 0; i < words; i++) {
    h = Math.imul(h + view.getUint32(4 * i, true), multiplier);
    h ^= h >>> 16;
  }
  const rest = bytes.length & 3;
  if (rest === 0) return h >>> 0;
  if (rest === 3) h += tail(4 * words + 2) << 16;
  if (rest >= 2) h += tail(4 * words + 1) << 8;
  h = Math.imul(h + tail(4 * words), multiplier);
  return (h ^ (h >>> 24)) >>> 0;
}
