/** quadstore, which keeps RDF graphs in several orders in a Level database, on `PumiceLevel`: the same answers as an n3 Store in memory. */

import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { Quadstore } from 'quadstore';
import { expect, test } from 'vitest';
import { PumiceLevel } from '../../src/utilities/level/index.ts';
import { Random } from '../support/random.ts';
import { expectReadableByRocksDB, testWithTools } from '../support/rocksdb-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type Quad = Parameters<Quadstore['put']>[0];
type Pattern = Parameters<Quadstore['get']>[0];
type GetOptions = NonNullable<Parameters<Quadstore['get']>[1]>;
type QuadStream = Parameters<Quadstore['putStream']>[0];
type DataFactory = Quadstore['dataFactory'];
type Subject = Quad['subject'];
type Predicate = Quad['predicate'];
type Graph = Quad['graph'];
type TermName = 'subject' | 'predicate' | 'object' | 'graph';

/** As much of n3's Store as is used here; n3 has no types of its own. `null` stands for every term. */
interface MemoryStore {
  readonly size: number;
  add(quad: Quad): this;
  delete(quad: Quad): this;
  getQuads(subject: unknown, predicate: unknown, object: unknown, graph: unknown): Quad[];
}

const { DataFactory: factory, Store } = createRequire(import.meta.url)('n3') as {
  DataFactory: DataFactory;
  Store: new (quads?: Quad[]) => MemoryStore;
};

const EXAMPLE = 'http://example.org/';
const XSD = 'http://www.w3.org/2001/XMLSchema#';
const TERMS: readonly TermName[] = ['subject', 'predicate', 'object', 'graph'];
/** quadstore's own six orders, and two more for patterns that name a literal together with a graph. */
const INDEXES: TermName[][] = [
  ['subject', 'predicate', 'object', 'graph'],
  ['object', 'graph', 'subject', 'predicate'],
  ['graph', 'subject', 'predicate', 'object'],
  ['subject', 'object', 'predicate', 'graph'],
  ['predicate', 'object', 'graph', 'subject'],
  ['graph', 'predicate', 'object', 'subject'],
  ['graph', 'object', 'subject', 'predicate'],
  ['graph', 'subject', 'object', 'predicate'],
];
const QUADS = 4000;

const subjects: Subject[] = Array.from({ length: 300 }, (_, i) =>
  i % 10 === 0 ? factory.blankNode(`b${i}`) : factory.namedNode(`${EXAMPLE}thing/${i}`),
);
const predicates: Predicate[] = Array.from({ length: 12 }, (_, i) => factory.namedNode(`${EXAMPLE}p${i}`));
const graphs: Graph[] = [
  factory.defaultGraph(),
  ...['a', 'ab', 'größe', '📚'].map((name) => factory.namedNode(`${EXAMPLE}${name}`)),
];

/** Terms of every kind that quadstore encodes in a way of its own. */
function anyObject(random: Random): Quad['object'] {
  const number = random.below(500);
  switch (random.below(7)) {
    case 0:
      return factory.literal(
        random.pick(['', 'plain', 'tab\tand "quotes"', 'line\nline', 'Füße', '語', '😀']) + number,
      );
    case 1:
      return factory.literal(`word ${number}`, random.pick(['en', 'de', 'en-GB']));
    case 2:
      return factory.literal(String(number - 250), factory.namedNode(`${XSD}integer`));
    case 3:
      return factory.literal(String((number - 250) / 8), factory.namedNode(`${XSD}double`));
    case 4:
      return factory.literal(new Date(number * 1e9).toISOString(), factory.namedNode(`${XSD}dateTime`));
    case 5:
      return factory.literal(`v${number}`, factory.namedNode(`${EXAMPLE}datatype`));
    default:
      return random.pick(subjects) as Quad['object'];
  }
}

function anyQuad(random: Random): Quad {
  return factory.quad(random.pick(subjects), random.pick(predicates), anyObject(random), random.pick(graphs));
}

/** Different quads, always the same ones for a seed. */
function generateQuads(seed: number, count: number): Quad[] {
  const random = new Random(seed);
  const quads = new Map<string, Quad>();
  while (quads.size < count) {
    const quad = anyQuad(random);
    quads.set(text(quad), quad);
  }
  return [...quads.values()];
}

/** One text per quad, whichever library made it. */
function text(quad: Quad): string {
  return TERMS.map((name) => {
    const term = quad[name];
    return JSON.stringify(
      term.termType === 'Literal'
        ? [term.termType, term.value, term.language, term.datatype.value]
        : [term.termType, term.value],
    );
  }).join(' ');
}

function sorted(quads: readonly Quad[]): string[] {
  return quads.map(text).sort();
}

/** Opens a store whose graph soon reaches tables. */
async function openStore(location: string): Promise<Quadstore> {
  const database = { writeBufferSize: 256 << 10 };
  const backend = new PumiceLevel(location, { database });
  const store = new Quadstore({ backend, dataFactory: factory, indexes: INDEXES });
  await store.open();
  return store;
}

/** Fails unless the quads of all 16 shapes of pattern, for some quads of `quads` and some others, are those of `model`. */
async function expectSame(store: Quadstore, model: MemoryStore, quads: readonly Quad[], seed: number): Promise<void> {
  const random = new Random(seed);
  const samples = [...Array.from({ length: 12 }, () => random.pick(quads)), anyQuad(random), anyQuad(random)];
  for (const sample of samples) {
    for (let shape = 0; shape < 16; shape++) {
      // The shape that names nothing asks for the whole graph: once is enough.
      if (shape === 0 && sample !== samples[0]) continue;
      const named = TERMS.map((name, i) => ((shape >> i) & 1 ? sample[name] : null));
      const pattern = Object.fromEntries(TERMS.flatMap((name, i) => (named[i] === null ? [] : [[name, named[i]]])));
      const { items } = await store.get(pattern as Pattern);
      const [subject, predicate, object, graph] = named;
      expect(sorted(items), JSON.stringify(pattern)).toEqual(sorted(model.getQuads(subject, predicate, object, graph)));
    }
  }
}

test('a graph gives the answers of a store in memory: loaded, changed, compacted and opened again', async () => {
  using directory = temporaryDirectory();
  const quads = generateQuads(31, QUADS);
  const model = new Store(quads);
  let store = await openStore(directory.path);
  for (let i = 0; i < 200; i++) await store.put(quads[i]!);
  for (let i = 200; i < QUADS; i += 500) await store.multiPut(quads.slice(i, i + 500));
  await expectSame(store, model, quads, 1);

  for (const quad of quads.slice(0, 50)) {
    await store.del(quad);
    model.delete(quad);
  }
  await store.multiDel(quads.slice(50, 600));
  for (const quad of quads.slice(50, 600)) model.delete(quad);
  const replaced = generateQuads(32, 100);
  await store.multiPatch(quads.slice(600, 700), replaced);
  for (const quad of quads.slice(600, 700)) model.delete(quad);
  for (const quad of replaced) model.add(quad);
  await finished(store.deleteGraph(graphs[2]!));
  for (const quad of model.getQuads(null, null, null, graphs[2])) model.delete(quad);
  expect(model.size).toBeGreaterThan(QUADS / 2);
  const known = [...quads, ...replaced];
  await expectSame(store, model, known, 2);
  await store.close();

  store = await openStore(directory.path);
  expect((await store.get({})).items).toHaveLength(model.size);
  await expectSame(store, model, known, 3);
  const level = store.db as PumiceLevel;
  await level.compactRange('', '\u{10ffff}');
  expect(Number(level.getProperty('rocksdb.total-sst-files-size'))).toBeGreaterThan(100_000);
  await expectSame(store, model, known, 4);
  await store.clear();
  expect((await store.get({})).items).toEqual([]);
  await store.close();
});

/** Resolves when an operation that tells of its end by events is through. */
function finished(emitter: ReturnType<Quadstore['deleteGraph']>): Promise<void> {
  return new Promise((resolve, reject) => emitter.on('end', resolve).on('error', reject));
}

test('ranges of literals come in order, forwards, backwards and with limits, from a graph that was streamed in', async () => {
  using directory = temporaryDirectory();
  const store = await openStore(directory.path);
  const integer = (value: number) => factory.literal(String(value), factory.namedNode(`${XSD}integer`));
  const [age, graph] = [predicates[0]!, factory.defaultGraph()];
  // quadstore orders 10, 100 and 1000 wrongly, on every database: its numbers in keys have a mantissa of 10 for them.
  const values = Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 2003) - 1000).filter(
    (value) => !/^10+$/.test(String(value)),
  );
  const quads = values.map((value, i) => factory.quad(subjects[i % 300]!, age, integer(value), graph));
  await store.putStream(Readable.from(quads) as unknown as QuadStream, { batchSize: 300 });
  const ask = async (object: Pattern['object'], options: GetOptions = {}) =>
    (await store.get({ predicate: age, object: object!, graph }, options)).items.map((quad) =>
      Number(quad.object.value),
    );
  const between = values.filter((value) => value > -100 && value <= 250).sort((a, b) => a - b);
  const range = { termType: 'Range', gt: integer(-100), lte: integer(250) } as const;
  expect(await ask(range)).toEqual(between);
  expect(await ask(range, { reverse: true })).toEqual(between.toReversed());
  expect(await ask(range, { limit: 10 })).toEqual(between.slice(0, 10));
  expect(await ask(range, { limit: 10, reverse: true })).toEqual(between.toReversed().slice(0, 10));
  await store.close();
});

test('blank nodes of a scope, and rows of the application in the batch of a quad, are there after a reopening', async () => {
  using directory = temporaryDirectory();
  const [blank, know] = [factory.blankNode('x'), predicates[0]!];
  let store = await openStore(directory.path);
  const scope = await store.initScope();
  const preWrite = (batch: ReturnType<PumiceLevel['batch']>) => void batch.put('application', 'its own row');
  await store.put(factory.quad(blank, know, subjects[1] as Quad['object']), { scope, preWrite });
  await store.close();

  store = await openStore(directory.path);
  const again = await store.loadScope(scope.id);
  await store.put(factory.quad(blank, know, subjects[2] as Quad['object']), { scope: again });
  const { items } = await store.get({ predicate: know });
  expect(items).toHaveLength(2);
  expect(new Set(items.map((quad) => quad.subject.value)).size).toBe(1);
  expect(items[0]!.subject.value).not.toBe('x');
  expect(await store.db.get('application')).toBe('its own row');
  await store.deleteScope(scope.id);
  expect((await store.loadScope(scope.id)).blankNodes.size).toBe(0);
  await store.close();
});

testWithTools('RocksDB finds a graph in all its orders, and compacts it', async () => {
  using directory = temporaryDirectory();
  const quads = generateQuads(33, 1000);
  const store = await openStore(directory.path);
  await store.multiPut(quads);
  await store.multiDel(quads.slice(0, 300));
  const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
  const entries = await (store.db as PumiceLevel).iterator<Buffer, Buffer>(encodings).all();
  const stored = entries.map(([key, value]) => `${key.toString('hex')}=${value.toString('hex')}`);
  expect(stored).toHaveLength(700 * INDEXES.length);
  await store.close();
  expectReadableByRocksDB(directory.path, new Map([['default', stored]]));
});
