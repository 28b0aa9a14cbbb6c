/**
 * Two masters that replicate to each other without echoes: every batch begins with a blob of log data that names the site
 * where it was written first, and a site sends on only what is its own. Blobs stand in the log and nowhere else, so this
 * costs readers nothing. Each value carries a logical time, and of two writes to one key the later one wins at both sites.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ColumnFamily, DB, type Update, WriteBatch } from '../../src/index.ts';
import { runAsProgram } from './run-as-program.ts';

/** A stored value begins with the logical time (8 bytes), the site's number and whether it is a value or a deletion. */
const STAMP_SIZE = 9;
const HEADER_SIZE = STAMP_SIZE + 1;
const POSITION_FAMILY = 'positions';

/** What goes over the wire: the writes of one batch that are the sender's own, and its place in the sender's log. */
interface Shipment {
  sequence: number;
  entries: [key: Uint8Array, stored: Uint8Array][];
}

function withHeader(time: number, site: number, value: Uint8Array | undefined): Buffer {
  const header = Buffer.alloc(HEADER_SIZE);
  header.writeBigUInt64BE(BigInt(time));
  header[STAMP_SIZE - 1] = site;
  header[STAMP_SIZE] = value === undefined ? 0 : 1;
  return value === undefined ? header : Buffer.concat([header, value]);
}

/** One master. All its writes are synchronous calls: a read and the write that follows from it have no await between. */
export class Site {
  readonly db: DB;
  readonly number: number;
  /** Operations written here by the application, sent to the other site, and taken over from it. */
  readonly counts = { written: 0, sent: 0, received: 0, outdated: 0 };
  readonly #positions: ColumnFamily;
  /** Later than every stamp this site has seen (a Lamport clock). */
  #time = 1;

  private constructor(db: DB, number: number) {
    this.db = db;
    this.number = number;
    this.#positions = db.columnFamily(POSITION_FAMILY);
    for (const [, stored] of db.entriesSync()) this.#see(stored);
  }

  /** Opens or makes the site with this number, 0 to 255, in `path`. */
  static async open(path: string, number: number): Promise<Site> {
    const db = await DB.open(path, {
      createIfMissing: true,
      createMissingColumnFamilies: true,
      columnFamilies: { default: {}, [POSITION_FAMILY]: {} },
      walTtlSeconds: 24 * 3600,
    });
    return new Site(db, number);
  }

  /** Sets a key, or with `undefined` deletes it. */
  put(key: string, value: string | undefined): void {
    const bytes = value === undefined ? undefined : Buffer.from(value);
    const batch = this.#batchFrom(this.number);
    this.db.writeSync(batch.put(key, withHeader(this.#time++, this.number, bytes)));
    this.counts.written++;
  }

  get(key: string): string | undefined {
    const stored = this.db.getSync(key);
    return stored === undefined || stored[STAMP_SIZE] === 0
      ? undefined
      : Buffer.from(stored.subarray(HEADER_SIZE)).toString();
  }

  /** The first sequence of the other site's log that this one has not looked at. */
  positionOf(site: number): number {
    const stored = this.#positions.getSync(String(site));
    return stored === undefined ? 1 : Number(Buffer.from(stored).toString());
  }

  /** What is this site's own of one batch of its log. What came from elsewhere stays here: sent on, it would go in circles. */
  ownPartOf({ sequence, batch }: Update): Shipment {
    const entries: Shipment['entries'] = [];
    let origin = -1;
    batch.iterate({
      // A batch of the log may be several that were committed as one group; each begins with its own origin.
      logData: (blob) => {
        origin = Number(Buffer.from(blob).toString());
      },
      put: (family, key, stored) => {
        if (family === 0 && origin === this.number) entries.push([key.slice(), stored.slice()]);
      },
    });
    this.counts.sent += entries.length;
    return { sequence: sequence + batch.count, entries };
  }

  /** Takes over what another site sent: the data and the place in its log in one batch, so that no crash parts them. */
  receive(from: number, { sequence, entries }: Shipment): void {
    const batch = this.#batchFrom(from);
    for (const [key, stored] of entries) {
      this.counts.received++;
      this.#see(stored);
      const here = this.db.getSync(key);
      const isLater = here === undefined || Buffer.compare(stampOf(stored), stampOf(here)) > 0;
      if (isLater) batch.put(key, stored);
      else this.counts.outdated++;
    }
    this.db.writeSync(batch.put(String(from), String(sequence), this.#positions));
  }

  #batchFrom(origin: number): WriteBatch {
    return new WriteBatch().putLogData(String(origin));
  }

  #see(stored: Uint8Array): void {
    this.#time = Math.max(this.#time, Number(Buffer.from(stored).readBigUInt64BE(0)) + 1);
  }
}

function stampOf(stored: Uint8Array): Uint8Array {
  return stored.subarray(0, STAMP_SIZE);
}

/** Sends one site's own writes to the other until the signal; the wire is a call, for what counts here is the loop. */
export async function pipe(from: Site, to: Site, signal: AbortSignal): Promise<void> {
  try {
    for await (const update of from.db.getUpdatesSince(to.positionOf(from.number), { follow: true, signal })) {
      const shipment = from.ownPartOf(update);
      // A batch with nothing for the other site is not even acknowledged: that would be an echo too.
      if (shipment.entries.length > 0) to.receive(from.number, shipment);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Both sites write to the same keys at once, are restarted in between, and end equal. */
export async function main(directory: string) {
  const written = [0, 0];
  for (let round = 0; round < 3; round++) {
    const sites = [await Site.open(join(directory, 'a'), 1), await Site.open(join(directory, 'b'), 2)] as const;
    const stop = new AbortController();
    const pipes = [pipe(sites[0], sites[1], stop.signal), pipe(sites[1], sites[0], stop.signal)];
    for (let i = 0; i < 400; i++) {
      for (const site of sites) {
        const key = `key${(i * 13 * site.number) % 150}`;
        site.put(key, i % 9 === 0 ? undefined : `${round}.${i} of ${site.number}`);
      }
      if (i % 20 === 0) await sleep(1);
    }
    await quiet(sites);
    const before = sites.map(({ db }) => db.latestSequence);
    await sleep(100);
    const after = sites.map(({ db }) => db.latestSequence);
    stop.abort();
    await Promise.all(pipes);
    for (const [index, site] of sites.entries()) written[index]! += site.counts.written;
    if (round === 2) {
      const [first, second] = sites.map(({ db }) => dump(db));
      const result = { written, counts: sites.map(({ counts }) => counts), echoes: before.join() !== after.join() };
      for (const { db } of sites) await db.close();
      return { ...result, equal: first === second, entries: first!.split('\n').length };
    }
    for (const { db } of sites) await db.close();
  }
  throw new Error('unreachable');
}

/** Waits until each site has received all that the other has written in this round. */
async function quiet([a, b]: readonly [Site, Site]): Promise<void> {
  while (a.counts.received < b.counts.written || b.counts.received < a.counts.written) await sleep(2);
}

function dump(db: DB): string {
  return [...db.entriesSync()]
    .map((entry) => entry.map((bytes) => Buffer.from(bytes).toString('hex')).join('='))
    .join('\n');
}

await runAsProgram(import.meta.url, main);
