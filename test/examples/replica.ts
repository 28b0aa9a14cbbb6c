/**
 * A replica over TCP: one database serves its stream of updates, another one applies it and is its equal, however often it
 * is stopped and started again. The replica's place in the stream needs no bookkeeping: a batch takes as many sequence
 * numbers there as here, so the replica's own newest sequence says what it has, and a crash cannot part the two.
 *
 * `npx tsx test/examples/replica.ts` shows both in one process; `… replica.ts serve DIR PORT` and
 * `… replica.ts follow DIR PORT` are the two halves.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DB, WriteBatch } from '../../src/index.ts';
import { isProgram, runAsProgram } from './run-as-program.ts';
import { readFrames, sendFrame } from './socket-frames.ts';

/** A frame begins with the batch's sequence and the primary's newest one, 8 bytes each. */
const FRAME_HEADER_SIZE = 16;
/** How long the primary keeps logs for replicas that are away. */
const LOG_RETENTION_S = 24 * 3600;

/** Opens a database whose logs stay long enough to replicate from. */
export function openPrimary(path: string): Promise<DB> {
  return DB.open(path, { createIfMissing: true, walTtlSeconds: LOG_RETENTION_S });
}

/** Serves the updates of a database, which stays the caller's, to any number of replicas. */
export class PrimaryServer {
  readonly port: number;
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  /** Listens on the loopback interface; port 0 takes a free one. */
  static async listen(db: DB, port = 0): Promise<PrimaryServer> {
    const sockets = new Set<Socket>();
    const serving = new Set<Promise<void>>();
    const server = createServer((socket) => {
      sockets.add(socket);
      const served = serveReplica(db, socket).finally(() => {
        sockets.delete(socket);
        serving.delete(served);
      });
      serving.add(served);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new PrimaryServer((server.address() as AddressInfo).port, async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(serving);
    });
  }

  /** Ends all connections; call it before the database is closed. */
  close(): Promise<void> {
    return this.#close();
  }
}

/** A replica asks once, with the first sequence that it lacks, and is sent updates until one side goes away. */
async function serveReplica(db: DB, socket: Socket): Promise<void> {
  const gone = new AbortController();
  let sending: Promise<void> | undefined;
  try {
    for await (const request of readFrames(socket)) {
      sending ??= sendUpdates(db, socket, Number(request.readBigUInt64LE(0)), gone.signal);
    }
  } catch {
    // A replica that breaks off comes back by itself and says where it stands.
  } finally {
    gone.abort();
    socket.destroy();
    await sending;
  }
}

async function sendUpdates(db: DB, socket: Socket, since: number, signal: AbortSignal): Promise<void> {
  try {
    for await (const { sequence, batch } of db.getUpdatesSince(since, { follow: true, signal })) {
      const header = Buffer.alloc(FRAME_HEADER_SIZE);
      header.writeBigUInt64LE(BigInt(sequence), 0);
      header.writeBigUInt64LE(BigInt(db.latestSequence), 8);
      await sendFrame(socket, header, batch.data());
    }
  } catch (error) {
    // NOT_FOUND means that the logs are gone: such a replica must be made anew from a checkpoint.
    if (!signal.aborted) socket.destroy(error as Error);
  }
}

/** A database that follows a primary. Write to it only through the primary. */
export class Replica {
  readonly db: DB;
  /** Operations that the primary had and the replica had not, when the last batch came. */
  lag = 0;
  readonly #socket: Socket;
  readonly #applying: Promise<void>;

  private constructor(db: DB, socket: Socket) {
    this.db = db;
    this.#socket = socket;
    this.#applying = this.#apply();
  }

  /** Opens or makes the replica in `path` and connects it to the primary. */
  static async start(path: string, port: number): Promise<Replica> {
    const db = await DB.open(path, { createIfMissing: true });
    const socket = connect(port, '127.0.0.1');
    return new Replica(db, socket);
  }

  /** Resolves when the connection ends. */
  get finished(): Promise<void> {
    return this.#applying;
  }

  /** Breaks the connection off wherever it is and closes the database. */
  async stop(): Promise<void> {
    this.#socket.destroy();
    await this.#applying;
    await this.db.close();
  }

  async #apply(): Promise<void> {
    try {
      const request = Buffer.alloc(8);
      request.writeBigUInt64LE(BigInt(this.db.latestSequence + 1));
      await sendFrame(this.#socket, request);
      for await (const frame of readFrames(this.#socket)) await this.#applyFrame(frame);
    } catch {
      // The connection broke or was broken off. What was applied is whole batches; the next start goes on from there.
      this.#socket.destroy();
    }
  }

  async #applyFrame(frame: Buffer): Promise<void> {
    const sequence = Number(frame.readBigUInt64LE(0));
    const expected = this.db.latestSequence + 1;
    if (sequence !== expected) throw new Error(`the stream goes on at ${sequence}, the replica at ${expected}`);
    await this.db.write(WriteBatch.from(frame.subarray(FRAME_HEADER_SIZE)));
    this.lag = Math.max(0, Number(frame.readBigUInt64LE(8)) - this.db.latestSequence);
  }
}

/** SHA-256 over all entries in order: two databases that have the same one hold the same. */
export async function contentHash(db: DB): Promise<string> {
  const hash = createHash('sha256');
  const size = Buffer.alloc(8);
  for await (const [key, value] of db.entries()) {
    size.writeUInt32LE(key.length, 0);
    size.writeUInt32LE(value.length, 4);
    hash.update(size).update(key).update(value);
  }
  return hash.digest('hex');
}

/** Waits until the replica has all that the primary has now. */
async function caughtUp(primary: DB, replica: Replica): Promise<void> {
  while (replica.db.latestSequence < primary.latestSequence) await sleep(2);
}

async function writeForAWhile(db: DB, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const batch = new WriteBatch();
    for (let j = 0; j < 5; j++) batch.put(`key${(i * 7919 + j * 31) % 3000}`, `value ${i}.${j}`);
    batch.delete(`key${(i * 104729) % 3000}`);
    await db.write(batch);
    if (i % 64 === 0) await sleep(1);
  }
}

/** Twenty replicas' lives while the primary is written to, and one more to see that the result is equal. */
export async function main(directory: string) {
  const primary = await openPrimary(join(directory, 'primary'));
  const server = await PrimaryServer.listen(primary);
  const writing = writeForAWhile(primary, 2000);
  let lagMax = 0;
  const restarts = 20;
  for (let i = 0; i < restarts; i++) {
    const replica = await Replica.start(join(directory, 'replica'), server.port);
    await sleep(15);
    lagMax = Math.max(lagMax, replica.lag);
    await replica.stop();
    if (i === restarts / 2) await primary.flush();
  }
  await writing;
  const last = await Replica.start(join(directory, 'replica'), server.port);
  await caughtUp(primary, last);
  const result = {
    restarts,
    lagMax,
    operations: last.db.latestSequence,
    primaryHash: await contentHash(primary),
    replicaHash: await contentHash(last.db),
  };
  await last.stop();
  await server.close();
  await primary.close();
  return result;
}

/** One half of the pair, as a process of its own; it runs until it is killed or the other half goes away. */
async function runHalf(role: string, path: string, port: number): Promise<void> {
  if (role === 'serve') {
    const server = await PrimaryServer.listen(await openPrimary(path), port);
    console.log(`serving on ${server.port}`);
    return;
  }
  const replica = await Replica.start(path, port);
  console.log(`following from ${replica.db.latestSequence + 1}`);
  const report = setInterval(() => console.log(`at ${replica.db.latestSequence}, lag ${replica.lag}`), 1000);
  await replica.finished;
  clearInterval(report);
  await replica.stop();
}

const [role, path, port] = process.argv.slice(2);
if (isProgram(import.meta.url) && role !== undefined && path !== undefined)
  await runHalf(role, path, Number(port ?? 0));
else await runAsProgram(import.meta.url, main);
