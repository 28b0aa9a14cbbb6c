/**
 * A memcached that keeps what it is told: the text protocol in front of a database, so that ordinary clients find their
 * items again after a restart. Expired items are not served, and a compaction filter takes them out of the tables.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type CompactionFilter, DB } from '../../src/index.ts';
import { runAsProgram } from './run-as-program.ts';

/** An item is stored as its flags (4 bytes), the Unix second it expires in (8 bytes, 0 never) and its data. */
const ITEM_HEADER_SIZE = 12;
const KEY_SIZE_MAX = 250;
const DATA_SIZE_MAX = 1024 * 1024;
const LINE_SIZE_MAX = 64 * 1024;
/** A larger expiry is a Unix time, a smaller one is seconds from now: so says the protocol. */
const RELATIVE_EXPIRY_MAX_S = 30 * 24 * 3600;
const COUNTER_MODULUS = 1n << 64n;

/** The time in whole Unix seconds. */
export type Now = () => number;

interface Item {
  flags: number;
  expiresAt: number;
  data: Buffer;
}

function encodeItem({ flags, expiresAt, data }: Item): Buffer {
  const header = Buffer.alloc(ITEM_HEADER_SIZE);
  header.writeUInt32LE(flags, 0);
  header.writeBigUInt64LE(BigInt(expiresAt), 4);
  return Buffer.concat([header, data]);
}

function decodeItem(stored: Uint8Array): Item {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const expiresAt = Number(bytes.readBigUInt64LE(4));
  return { flags: bytes.readUInt32LE(0), expiresAt, data: bytes.subarray(ITEM_HEADER_SIZE) };
}

function isExpired({ expiresAt }: Item, now: number): boolean {
  return expiresAt !== 0 && expiresAt <= now;
}

/** Drops expired items when tables are rewritten. */
function expiryFilter(now: Now): CompactionFilter {
  return {
    name: 'example.MemcachedExpiry',
    filter: (_level, _key, value) => (isExpired(decodeItem(value), now()) ? 'remove' : 'keep'),
  };
}

/** A request that lacks bytes waits for more of them. */
type Outcome = 'incomplete' | 'quit' | { reply: string | Buffer; used: number };

/** What one command line asks for. */
interface Command {
  verb: string;
  words: string[];
  /** The data block of a storage command, and all bytes that the command took. */
  data: Buffer;
  used: number;
}

const STORAGE = new Set(['set', 'add', 'replace', 'append', 'prepend']);

/** The server. Each command is answered without an await, so a read and the write after it are one step. */
export class Memcached {
  readonly port: number;
  readonly db: DB;
  readonly #now: Now;
  readonly #close: () => void;

  private constructor(db: DB, now: Now, port: number, close: () => void) {
    this.db = db;
    this.#now = now;
    this.port = port;
    this.#close = close;
  }

  /** Serves the items in `path` on the loopback interface; port 0 takes a free one. */
  static async start(path: string, port = 0, now: Now = () => Math.floor(Date.now() / 1000)): Promise<Memcached> {
    const db = await DB.open(path, { createIfMissing: true, compactionFilter: expiryFilter(now) });
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // What breaks a connection concerns its client only; 'close' follows.
      socket.on('error', () => {});
      memcached.#serve(socket);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const memcached = new Memcached(db, now, (server.address() as AddressInfo).port, () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return memcached;
  }

  /** Ends all connections and closes the database. */
  async stop(): Promise<void> {
    this.#close();
    await this.db.close();
  }

  #serve(socket: Socket): void {
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const outcome = this.#next(pending);
        if (outcome === 'incomplete') break;
        if (outcome === 'quit') {
          socket.end();
          return;
        }
        socket.write(outcome.reply);
        pending = pending.subarray(outcome.used);
      }
    });
  }

  #next(pending: Buffer): Outcome {
    const end = pending.indexOf('\r\n');
    if (end < 0) return pending.length > LINE_SIZE_MAX ? 'quit' : 'incomplete';
    const [verb = '', ...words] = pending
      .toString('latin1', 0, end)
      .split(' ')
      .filter((word) => word !== '');
    if (verb === 'quit') return 'quit';
    const command: Command = { verb, words, data: Buffer.alloc(0), used: end + 2 };
    if (STORAGE.has(verb)) {
      const size = Number(words[3]);
      if (!Number.isInteger(size) || size < 0) return { reply: 'CLIENT_ERROR bad data chunk\r\n', used: command.used };
      // The data of a refused item cannot be told from commands, so the connection ends with it.
      if (size > DATA_SIZE_MAX) return 'quit';
      if (pending.length < command.used + size + 2) return 'incomplete';
      command.data = pending.subarray(command.used, command.used + size);
      command.used += size + 2;
    }
    const reply = this.#answer(command);
    return { reply: words.at(-1) === 'noreply' ? '' : reply, used: command.used };
  }

  #answer({ verb, words, data }: Command): string | Buffer {
    if (verb === 'version') return 'VERSION pumice\r\n';
    const [key = ''] = words;
    const takesKey = verb !== 'flush_all';
    if (takesKey && (key === '' || words.some((word) => word.length > KEY_SIZE_MAX))) return 'ERROR\r\n';
    if (verb === 'get' || verb === 'gets') return this.#getMany(words);
    if (STORAGE.has(verb)) return this.#store(verb, key, Number(words[1]), Number(words[2]), data);
    if (verb === 'incr' || verb === 'decr') return this.#count(verb, key, words[1] ?? '');
    if (verb === 'touch') return this.#touch(key, Number(words[1]));
    if (verb === 'delete') return this.#delete(key);
    if (verb !== 'flush_all') return 'ERROR\r\n';
    // A key is at most 250 bytes of 0xff.
    this.db.deleteRangeSync('', Buffer.alloc(KEY_SIZE_MAX + 1, 0xff));
    return 'OK\r\n';
  }

  #find(key: string): Item | undefined {
    const stored = this.db.getSync(keyBytes(key));
    const item = stored && decodeItem(stored);
    return item && !isExpired(item, this.#now()) ? item : undefined;
  }

  #put(key: string, item: Item): void {
    this.db.putSync(keyBytes(key), encodeItem(item));
  }

  #getMany(keys: string[]): Buffer {
    const parts = keys.flatMap((key) => {
      const item = this.#find(key);
      if (item === undefined) return [];
      const line = `VALUE ${key} ${item.flags} ${item.data.length}\r\n`;
      return [Buffer.from(line, 'latin1'), item.data, Buffer.from('\r\n')];
    });
    return Buffer.concat([...parts, Buffer.from('END\r\n')]);
  }

  #store(verb: string, key: string, flags: number, expiry: number, data: Buffer): string {
    if (!(Number.isInteger(flags) && flags >= 0 && flags < 2 ** 32 && Number.isSafeInteger(expiry))) {
      return 'CLIENT_ERROR bad command line format\r\n';
    }
    const old = verb === 'set' ? undefined : this.#find(key);
    if (verb !== 'set' && (verb === 'add') === (old !== undefined)) return 'NOT_STORED\r\n';
    if (old !== undefined && verb !== 'replace') {
      const joined = verb === 'append' ? [old.data, data] : [data, old.data];
      this.#put(key, { ...old, data: Buffer.concat(joined) });
    } else {
      this.#put(key, { flags, expiresAt: this.#expiresAt(expiry), data });
    }
    return 'STORED\r\n';
  }

  #count(verb: string, key: string, amount: string): string {
    const item = this.#find(key);
    if (item === undefined) return 'NOT_FOUND\r\n';
    if (!/^\d{1,20}$/.test(amount)) return 'CLIENT_ERROR invalid numeric delta argument\r\n';
    const text = item.data.toString('latin1');
    if (!/^\d{1,20}$/.test(text)) return 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n';
    const [now, by] = [BigInt(text), BigInt(amount)];
    // Up it wraps at 64 bits, down it stops at zero.
    const next = verb === 'incr' ? (now + by) % COUNTER_MODULUS : now > by ? now - by : 0n;
    this.#put(key, { ...item, data: Buffer.from(String(next)) });
    return `${next}\r\n`;
  }

  #touch(key: string, expiry: number): string {
    const item = this.#find(key);
    if (item === undefined) return 'NOT_FOUND\r\n';
    if (!Number.isSafeInteger(expiry)) return 'CLIENT_ERROR invalid exptime argument\r\n';
    this.#put(key, { ...item, expiresAt: this.#expiresAt(expiry) });
    return 'TOUCHED\r\n';
  }

  #delete(key: string): string {
    if (this.#find(key) === undefined) return 'NOT_FOUND\r\n';
    this.db.deleteSync(keyBytes(key));
    return 'DELETED\r\n';
  }

  #expiresAt(expiry: number): number {
    if (expiry === 0) return 0;
    if (expiry < 0) return 1;
    return expiry <= RELATIVE_EXPIRY_MAX_S ? this.#now() + expiry : expiry;
  }
}

function keyBytes(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}

/** Sends commands over a connection of their own and returns all that is answered until the server ends it. */
export async function talk(port: number, ...commands: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(Buffer.from(`${commands.join('\r\n')}\r\nquit\r\n`, 'latin1'));
  let answer = '';
  for await (const chunk of socket) answer += (chunk as Buffer).toString('latin1');
  return answer;
}

/** Talks to a server, restarts it, lets an item expire, and finds the rest again. */
export async function main(directory: string) {
  let seconds = 1_700_000_000;
  let server = await Memcached.start(directory, 0, () => seconds);
  const first = await talk(
    server.port,
    'set greeting 7 0 5\r\nhello',
    'set session 0 60 4\r\nopen',
    'set visits 0 0 2\r\n41',
    'add greeting 0 0 1\r\nx',
    'incr visits 1',
    'get greeting session visits none',
  );
  await server.stop();
  server = await Memcached.start(directory, 0, () => seconds);
  seconds += 61;
  const second = await talk(
    server.port,
    'get greeting session visits',
    'add session 0 -1 5\r\nstale',
    'get session',
    'delete greeting',
    'decr visits 100',
    'get greeting',
  );
  await server.db.compactRange();
  const stored: string[] = [];
  for await (const key of server.db.keys()) stored.push(Buffer.from(key).toString());
  await server.stop();
  return { first: first.split('\r\n'), second: second.split('\r\n'), stored };
}

await runAsProgram(import.meta.url, main);
