/** Messages over a TCP connection, each behind its length in 4 bytes, for the examples that replicate. */
import type { Socket } from 'node:net';

const LENGTH_SIZE = 4;
/** A longer message is a mistake of the peer's, and its length must not become an allocation. */
const FRAME_SIZE_MAX = 64 * 1024 * 1024;

/** Sends one message; resolves when the kernel has its bytes, which is what holds a fast sender back. */
export function sendFrame(socket: Socket, ...parts: Uint8Array[]): Promise<void> {
  const length = Buffer.alloc(LENGTH_SIZE);
  length.writeUInt32LE(parts.reduce((sum, part) => sum + part.length, 0));
  return new Promise((resolve, reject) => {
    socket.write(Buffer.concat([length, ...parts]), (error) => (error ? reject(error) : resolve()));
  });
}

/** The messages of a connection until it ends; they are the caller's. A connection that breaks makes it throw. */
export async function* readFrames(socket: Socket): AsyncGenerator<Buffer> {
  let pending = Buffer.alloc(0);
  for await (const chunk of socket) {
    pending = Buffer.concat([pending, chunk as Buffer]);
    while (pending.length >= LENGTH_SIZE) {
      const size = pending.readUInt32LE(0);
      if (size > FRAME_SIZE_MAX) throw new RangeError(`a message of ${size} bytes`);
      if (pending.length < LENGTH_SIZE + size) break;
      yield pending.subarray(LENGTH_SIZE, LENGTH_SIZE + size);
      pending = pending.subarray(LENGTH_SIZE + size);
    }
  }
}
