/**
 * Random operations on the file system in memory and on the machine's, step by step: every answer, byte and error must
 * be equal. Method: one seeded list of operations, carried out on both.
 */
import { expect, test } from 'vitest';
import { errnoOf } from '../../../src/env/file-error.ts';
import type { FileSystem, RandomAccessFile, WritableFile } from '../../../src/env/file-system.ts';
import { MemoryFileSystem } from '../../../src/env/memory-file-system.ts';
import { NodeFileSystem } from '../../../src/env/node-file-system.ts';
import { Random, seedFor } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const OPERATIONS = 20_000;
const WRITERS_MAX = 6;
const READERS_MAX = 6;

/** One file system with its open handles, by slot. */
class Side {
  readonly fs: FileSystem;
  readonly root: string;
  readonly writers: (WritableFile | undefined)[] = [];
  readonly readers: (RandomAccessFile | undefined)[] = [];

  constructor(fs: FileSystem, root: string) {
    this.fs = fs;
    this.root = root;
  }

  close(): void {
    for (const file of [...this.writers, ...this.readers]) file?.closeSync();
  }
}

type Step = (side: Side) => Promise<unknown>;

function putWriter(side: Side, slot: number, file: WritableFile): number {
  side.writers[slot]?.closeSync();
  side.writers[slot] = file;
  return file.size;
}

/** A step that asks for a writer, in either manner. */
function drawWriterStep(rng: Random, path: string, other: string): Step {
  const slot = rng.below(WRITERS_MAX);
  const blocking = rng.oneIn(2);
  const truncateTo = rng.below(5000);
  switch (rng.below(4)) {
    case 0:
    case 1:
      return async (side) => {
        const target = side.root + path;
        return putWriter(
          side,
          slot,
          blocking ? side.fs.createWritableSync(target) : await side.fs.createWritable(target),
        );
      };
    case 2:
      return async (side) => {
        const options = truncateTo < 2500 ? { truncateTo } : {};
        const target = side.root + path;
        const file = blocking
          ? side.fs.reopenWritableSync(target, options)
          : await side.fs.reopenWritable(target, options);
        return putWriter(side, slot, file);
      };
    default:
      return async (side) => {
        const [from, to] = [side.root + path, side.root + other];
        return putWriter(
          side,
          slot,
          blocking ? side.fs.reuseWritableSync(from, to) : await side.fs.reuseWritable(from, to),
        );
      };
  }
}

/** A step on an open writer. */
function drawWriteStep(rng: Random): Step {
  const slot = rng.below(WRITERS_MAX);
  const blocking = rng.oneIn(2);
  const parts = Array.from({ length: rng.below(4) }, () =>
    rng.bytes(rng.oneIn(20) ? rng.below(20_000) : rng.below(300)),
  );
  const size = rng.below(3000);
  switch (rng.below(8)) {
    case 0:
      return async ({ writers }) => {
        const file = writers[slot];
        if (file === undefined || file.size < size) return 'no file';
        if (blocking) file.truncateSync(size);
        else await file.truncate(size);
        return file.size;
      };
    case 1:
      return async ({ writers }) => (blocking ? writers[slot]?.syncSync('data') : await writers[slot]?.sync('full'));
    default:
      return async ({ writers }) => {
        if (blocking) writers[slot]?.appendSync(parts);
        else await writers[slot]?.append(parts);
        return writers[slot]?.size;
      };
  }
}

/** A step that reads. */
function drawReadStep(rng: Random, path: string): Step {
  const slot = rng.below(READERS_MAX);
  const blocking = rng.oneIn(2);
  const offset = rng.below(6000);
  const length = rng.below(9000);
  switch (rng.below(4)) {
    case 0:
      return async (side) => {
        // Opening a directory to read works on Linux, reading it does not.
        if (side.fs.existsSync(side.root + path) && side.fs.statSync(side.root + path).kind !== 'file')
          return 'no file';
        const file = blocking ? side.fs.openRandomSync(side.root + path) : await side.fs.openRandom(side.root + path);
        side.readers[slot]?.closeSync();
        side.readers[slot] = file;
        return file.sizeSync();
      };
    default:
      return async ({ readers }) => {
        const buffer = new Uint8Array(length);
        const file = readers[slot];
        const count = blocking ? file?.readSync(buffer, offset) : await file?.read(buffer, offset);
        return [count, Buffer.from(buffer).toString('base64')];
      };
  }
}

/** A step on names. */
function drawNameStep(rng: Random, path: string, other: string): Step {
  const blocking = rng.oneIn(2);
  const size = rng.below(9000);
  const steps: Step[] = [
    async ({ fs, root }) =>
      blocking ? fs.renameSync(root + path, root + other) : fs.rename(root + path, root + other),
    async ({ fs, root }) => (blocking ? fs.unlinkSync(root + path) : fs.unlink(root + path)),
    async ({ fs, root }) => (blocking ? fs.linkSync(root + path, root + other) : fs.link(root + path, root + other)),
    async ({ fs, root }) => (blocking ? fs.mkdirSync(root + path) : fs.mkdir(root + path)),
    async ({ fs, root }) => (blocking ? fs.rmdirSync(root + path) : fs.rmdir(root + path)),
    async ({ fs, root }) => (blocking ? fs.listSync(root + path) : fs.list(root + path)),
    async ({ fs, root }) => (blocking ? fs.existsSync(root + path) : fs.exists(root + path)),
    async ({ fs, root }) => (blocking ? fs.truncateSync(root + path, size) : fs.truncate(root + path, size)),
    async ({ fs, root }) => {
      const stat = blocking ? fs.statSync(root + path) : await fs.stat(root + path);
      return stat.kind === 'file' ? [stat.size, stat.linkCount] : stat.kind;
    },
  ];
  return rng.pick(steps);
}

function drawPath(rng: Random): string {
  const directory = rng.pick(['', '', '/a', '/b', '/a/c']);
  return rng.oneIn(8) ? directory || '/a' : `${directory}/f${rng.below(6)}`;
}

function drawStep(rng: Random): Step {
  const path = drawPath(rng);
  const other = drawPath(rng);
  const kind = rng.below(10);
  if (kind < 2) return drawWriterStep(rng, path, other);
  if (kind < 5) return drawWriteStep(rng);
  return kind < 7 ? drawReadStep(rng, path) : drawNameStep(rng, path, other);
}

async function outcomeOf(side: Side, step: Step): Promise<unknown> {
  try {
    return { value: await step(side) };
  } catch (error) {
    return { failed: errnoOf(error) ?? (error as Error).message };
  }
}

/** All names and bytes below a directory. */
function treeOf(fs: FileSystem, path: string): unknown {
  if (fs.statSync(path).kind === 'directory')
    return fs.listSync(path).map((name) => [name, treeOf(fs, `${path}/${name}`)]);
  const file = fs.openRandomSync(path);
  const buffer = new Uint8Array(file.sizeSync());
  file.readSync(buffer, 0);
  file.closeSync();
  return Buffer.from(buffer).toString('base64');
}

test.each([true, false])(
  `${OPERATIONS} random operations in memory and on disk agree (crashable: %s)`,
  async (crashable) => {
    using directory = temporaryDirectory();
    const seed = seedFor(crashable ? 11 : 12);
    const rng = new Random(seed);
    const memory = new Side(new MemoryFileSystem({ crashable }), '/db');
    const disk = new Side(new NodeFileSystem(), directory.path);
    memory.fs.mkdirSync('/db');
    let failures = 0;
    for (let i = 0; i < OPERATIONS; i++) {
      const step = drawStep(rng);
      const onDisk = await outcomeOf(disk, step);
      expect(await outcomeOf(memory, step), `PUMICE_SEED=${seed}, operation ${i}`).toEqual(onDisk);
      if (JSON.stringify(onDisk).includes('failed')) failures++;
      if (i % 1000 === 0) expect(treeOf(memory.fs, '/db')).toEqual(treeOf(disk.fs, directory.path));
    }
    expect(treeOf(memory.fs, '/db')).toEqual(treeOf(disk.fs, directory.path));
    // Neither nearly all refused nor nearly none.
    expect(failures).toBeGreaterThan(OPERATIONS / 20);
    expect(failures).toBeLessThan((OPERATIONS * 2) / 3);
    memory.close();
    disk.close();
  },
);
