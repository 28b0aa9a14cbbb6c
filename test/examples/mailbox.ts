/**
 * Store and forward: a relay takes messages for recipients who are away, keeps them on disk, and hands them over when the
 * recipient comes. A message is accepted once it is durable and removed once it is acknowledged, so none is lost, and a
 * message that was delivered but not acknowledged is delivered again.
 */
import { DB, delimiterPrefix, WriteBatch } from '../../src/index.ts';
import { runAsProgram } from './run-as-program.ts';

/** Ends the recipient's name in a key; a name cannot hold it. */
const SEPARATOR = '/';
const NUMBER_DIGITS = 16;
/** The key of the last number given out; it sorts before every name and separator. */
const COUNTER_KEY = '\0number';

/** A message that waits. */
export interface Message {
  /** Names the message to `acknowledge`. Later ones of a recipient have larger ones. */
  number: number;
  body: string;
}

function keyOf(recipient: string, number: number): string {
  return `${recipient}${SEPARATOR}${String(number).padStart(NUMBER_DIGITS, '0')}`;
}

/** The boxes of all recipients, in one database. */
export class Mailboxes {
  readonly #db: DB;
  #lastNumber: number;

  private constructor(db: DB, lastNumber: number) {
    this.#db = db;
    this.#lastNumber = lastNumber;
  }

  /** Opens or makes the boxes in `path`. */
  static async open(path: string): Promise<Mailboxes> {
    const db = await DB.open(path, {
      createIfMissing: true,
      // Boxes are read one at a time: a filter over names spares tables that have nothing for the recipient.
      prefixExtractor: delimiterPrefix(SEPARATOR.charCodeAt(0)),
      filterPolicy: { type: 'bloom', bitsPerKey: 10 },
    });
    const stored = await db.get(COUNTER_KEY);
    return new Mailboxes(db, stored === undefined ? 0 : Number(Buffer.from(stored).toString()));
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  /** Takes one message for several recipients: all get it or none. It survives a power cut when the promise settles. */
  async accept(recipients: readonly string[], body: string): Promise<number> {
    const number = ++this.#lastNumber;
    const batch = new WriteBatch();
    for (const recipient of recipients) {
      if (recipient === '' || recipient.includes(SEPARATOR))
        throw new RangeError('a name must not be empty or hold a /');
      batch.put(keyOf(recipient, number), body);
    }
    await this.#db.write(batch.put(COUNTER_KEY, String(number)), { sync: true });
    return number;
  }

  /** The oldest messages that wait for a recipient, at most `limit`. They keep waiting. */
  async pending(recipient: string, limit = 100): Promise<Message[]> {
    const start = `${recipient}${SEPARATOR}`;
    const messages: Message[] = [];
    using iterator = this.#db.newIterator({ prefixSameAsStart: true });
    await iterator.seek(start);
    for (const [key, body] of await iterator.nextMany(limit)) {
      const number = Number(Buffer.from(key).toString().slice(start.length));
      messages.push({ number, body: Buffer.from(body).toString() });
    }
    return messages;
  }

  /** Removes a recipient's messages up to and including `number`. */
  acknowledge(recipient: string, number: number): Promise<void> {
    return this.#db.deleteRange(keyOf(recipient, 0), keyOf(recipient, number + 1));
  }

  /** Hands over what waits, in order; stops at the first that the recipient does not take. Returns how many it took. */
  async forward(recipient: string, deliver: (message: Message) => Promise<boolean>): Promise<number> {
    let delivered = 0;
    for (;;) {
      const messages = await this.pending(recipient);
      let taken = 0;
      while (taken < messages.length && (await deliver(messages[taken]!))) taken++;
      const last = messages[taken - 1];
      if (last !== undefined) await this.acknowledge(recipient, last.number);
      delivered += taken;
      if (messages.length === 0 || taken < messages.length) return delivered;
    }
  }
}

/** Sends to three recipients, of whom one goes away in the middle of a delivery, with a restart in between. */
export async function main(directory: string) {
  let boxes = await Mailboxes.open(directory);
  const names = ['ann', 'anna', 'bo'];
  for (let i = 0; i < 60; i++) await boxes.accept([names[i % 3]!], `letter ${i}`);
  await boxes.accept(names, 'to all');
  const received: Record<string, string[]> = { ann: [], anna: [], bo: [] };
  const takeUpTo = (name: string, count: number) => async (message: Message) => {
    if (received[name]!.length >= count) return false;
    received[name]!.push(message.body);
    return true;
  };
  const firstTime = await boxes.forward('ann', takeUpTo('ann', 5));
  await boxes.close();
  boxes = await Mailboxes.open(directory);
  const later: number[] = [];
  for (const name of names) later.push(await boxes.forward(name, takeUpTo(name, Number.POSITIVE_INFINITY)));
  const left = (await Promise.all(names.map((name) => boxes.pending(name)))).flat().length;
  const nextNumber = await boxes.accept(['bo'], 'one more');
  await boxes.close();
  return { firstTime, later, left, nextNumber, received };
}

await runAsProgram(import.meta.url, main);
