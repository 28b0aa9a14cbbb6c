/**
 * `npm run fixture`: writes `test/fixtures/db-v<version>` as the Pumice at hand writes it. Run it once for every released
 * version, commit what it wrote, and never again for that version: later ones must go on reading it (S15).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DB, type Options, WriteBatch } from '../../src/index.ts';
import { hex } from '../support/bytes.ts';
import { Random } from '../support/random.ts';
import { PROJECT_ROOT } from '../support/source-files.ts';

const FAMILIES: NonNullable<Options['columnFamilies']> = {
  default: { filterPolicy: { type: 'bloom', bitsPerKey: 10 }, compression: 'snappy' },
  lz4: { compression: 'lz4', filterPolicy: { type: 'ribbon', bitsPerKey: 10, bloomBeforeLevel: -1 } },
  zstd: { compression: 'zstd', indexType: 'twoLevelIndexSearch', partitionFilters: true, metadataBlockSize: 256 },
  reverse: { comparator: 'rocksdb.ReverseBytewiseComparator', compression: 'none' },
  append: { mergeOperator: 'stringappend', compression: 'zlib' },
  prefix: { prefixExtractor: 'rocksdb.FixedPrefix.4', filterPolicy: { type: 'bloom', bitsPerKey: 10 } },
};

type Model = Map<string, Map<string, string>>;

const key = (i: number): string => `key${String(i).padStart(6, '0')}`;

/** Puts, deletes, merges and range deletions in every family, kept in the model as well. */
async function writeRound(db: DB, model: Model, random: Random, round: number): Promise<void> {
  for (const [name, rows] of model) {
    const family = db.columnFamily(name);
    for (let i = 0; i < 60; i++) {
      const at = key(random.below(150));
      if (random.oneIn(6)) {
        await family.delete(at);
        rows.delete(at);
      } else if (name === 'append' && random.oneIn(2)) {
        await family.merge(at, `${round}.${i}`);
        const old = rows.get(at);
        rows.set(at, old === undefined ? `${round}.${i}` : `${old},${round}.${i}`);
      } else {
        const value = `value ${round} ${i} ${'.'.repeat(random.below(60))}`;
        await db.write(new WriteBatch().put(at, value, name));
        rows.set(at, value);
      }
    }
    if (name === 'reverse') continue;
    const from = random.below(140);
    await family.deleteRange(key(from), key(from + 10));
    for (let i = from; i < from + 10; i++) rows.delete(key(i));
  }
}

/** Keys in the family's order. */
function sorted(name: string, rows: ReadonlyMap<string, string>): string[] {
  const keys = [...rows.keys()].sort();
  return name === 'reverse' ? keys.reverse() : keys;
}

async function writeDatabase(path: string): Promise<{ model: Model; lastSequence: number; ids: Map<string, number> }> {
  const model: Model = new Map(Object.keys(FAMILIES).map((name) => [name, new Map<string, string>()]));
  const random = new Random(15);
  const options: Options = { columnFamilies: FAMILIES, disableAutoCompactions: true };
  {
    await using db = await DB.open(path, { ...options, createIfMissing: true, createMissingColumnFamilies: true });
    for (const round of [1, 2]) {
      await writeRound(db, model, random, round);
      for (const name of model.keys()) await db.columnFamily(name).flush();
    }
    for (const name of model.keys()) await db.columnFamily(name).compactRange();
    await writeRound(db, model, random, 3);
    for (const name of model.keys()) await db.columnFamily(name).flush();
  }
  // The last round stays in the log.
  await using db = await DB.open(path, options);
  await writeRound(db, model, random, 4);
  const ids = new Map([...model.keys()].map((name) => [name, db.columnFamily(name).id]));
  return { model, lastSequence: db.latestSequence, ids };
}

async function main(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { version: string };
  const name = `db-v${version}`;
  const directory = join(PROJECT_ROOT, 'test/fixtures', name);
  if (existsSync(directory)) throw new Error(`test/fixtures/${name} exists: a version's fixture is written once`);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'db');
  const { model, lastSequence, ids } = await writeDatabase(path);
  for (const file of readdirSync(path)) if (/^LO(G|CK)/.test(file)) rmSync(join(path, file));
  const families = [...model].sort(([a], [b]) => ids.get(a)! - ids.get(b)!);
  const rows = families.flatMap(([cf, values]) =>
    sorted(cf, values).map((k) => JSON.stringify({ cf, k: hex(Buffer.from(k)), v: hex(Buffer.from(values.get(k)!)) })),
  );
  writeFileSync(join(directory, 'expected.jsonl'), `${rows.join('\n')}\n`);
  const description = {
    name,
    writer: `Pumice ${version}`,
    options:
      'families with different codecs, filters, indexes, comparators and operators; two compacted flushes, a third, a log',
    features: ['column-families', 'merge', 'reverse-comparator', 'range-deletions', 'wal', 'partitioned'],
    columnFamilies: families.map(([family, values]) => ({
      name: family,
      id: ids.get(family)!,
      comparator: family === 'reverse' ? 'rocksdb.ReverseBytewiseComparator' : 'leveldb.BytewiseComparator',
      mergeOperator: family === 'append' ? 'StringAppendOperator' : null,
      entries: values.size,
    })),
    lastSequence,
  };
  writeFileSync(join(directory, 'fixture.json'), `${JSON.stringify(description, undefined, 2)}\n`);
  process.stdout.write(`wrote test/fixtures/${name}: ${rows.length} rows\n`);
}

await main();
