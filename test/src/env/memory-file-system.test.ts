/** What the file system in memory adds: crash images, failed syncs, limits, hooks, seeded completion. */
import { expect, test } from 'vitest';
import { type CrashModel, CRASH_MODELS } from '../../../src/env/crash-image.ts';
import { errnoOf } from '../../../src/env/file-error.ts';
import { MemoryFileSystem, type MemoryFileSystemOptions } from '../../../src/env/memory-file-system.ts';
import { SeededRandom } from '../../../src/env/random.ts';
import { SeededScheduler } from '../../../src/env/seeded-scheduler.ts';

function crashable(options: MemoryFileSystemOptions = {}): MemoryFileSystem {
  return new MemoryFileSystem({ crashable: true, ...options });
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(fs: MemoryFileSystem, path: string): string | undefined {
  if (!fs.existsSync(path)) return undefined;
  const file = fs.openRandomSync(path);
  const bytes = new Uint8Array(file.sizeSync());
  file.readSync(bytes, 0);
  file.closeSync();
  return new TextDecoder().decode(bytes);
}

function syncRoot(fs: MemoryFileSystem): void {
  const root = fs.openDirectorySync('/');
  root.syncSync('renamed');
  root.closeSync();
}

/** All that `observe` sees in many images. */
function statesOf<T>(
  fs: MemoryFileSystem,
  model: CrashModel,
  observe: (image: MemoryFileSystem) => T,
  count = 400,
): Set<T> {
  const rng = new SeededRandom(7);
  return new Set(Array.from({ length: count }, () => observe(fs.crashImage(model, rng))));
}

test('only synced data under a synced name survives the synced model', () => {
  const fs = crashable();
  const file = fs.createWritableSync('/f');
  file.appendSync([bytesOf('one')]);
  file.syncSync('data');
  file.appendSync([bytesOf('two')]);
  expect(statesOf(fs, 'synced', (image) => textOf(image, '/f'), 3)).toEqual(new Set([undefined]));
  syncRoot(fs);
  expect(statesOf(fs, 'synced', (image) => textOf(image, '/f'), 3)).toEqual(new Set(['one']));
  expect(textOf(fs, '/f')).toBe('onetwo');
});

test('a sync covers only what completed before it was called', async () => {
  const fs = crashable({ scheduler: new SeededScheduler(new SeededRandom(3)) });
  const file = fs.createWritableSync('/f');
  syncRoot(fs);
  file.appendSync([bytesOf('before')]);
  const sync = file.sync('data');
  file.appendSync([bytesOf('after')]);
  await sync;
  expect(textOf(fs.crashImage('synced', new SeededRandom(1)), '/f')).toBe('before');
});

test('the ordered model keeps prefixes, and cuts a write at a sector', () => {
  const fs = crashable();
  syncRoot(fs);
  const file = fs.createWritableSync('/f');
  file.appendSync([new Uint8Array(700).fill(1), new Uint8Array(900).fill(1)]);
  fs.renameSync('/f', '/g');
  const states = statesOf(fs, 'ordered', (image) => {
    const name = image.listSync('/')[0];
    return name === undefined ? 'none' : `${name} ${image.statSync(`/${name}`).size}`;
  });
  expect([...states].sort()).toEqual(['f 0', 'f 1024', 'f 1536', 'f 1600', 'f 512', 'g 1600', 'none'].sort());
});

test('the subset model tears pages and shows lengths without data', () => {
  const fs = crashable();
  const file = fs.createWritableSync('/f');
  syncRoot(fs);
  file.appendSync([new Uint8Array(8192).fill(1)]);
  const shapes = statesOf(fs, 'subset', (image) => {
    const bytes = Buffer.from(textOf(image, '/f') ?? '');
    const halves = [bytes.subarray(0, 4096), bytes.subarray(4096)];
    return halves
      .map((half) =>
        half.length === 0 ? '-' : half.every((b) => b === 1) ? '1' : half.every((b) => b === 0) ? '0' : 't',
      )
      .join('');
  });
  for (const shape of ['--', '11', '00', '01', '10', 't1', '1t', 'tt']) expect(shapes, shape).toContain(shape);
});

test('the subset model shows bytes of deleted files, in new pages only', () => {
  const fs = crashable();
  const old = fs.createWritableSync('/old');
  old.appendSync([new Uint8Array(4096).fill(9)]);
  old.closeSync();
  fs.unlinkSync('/old');
  const file = fs.createWritableSync('/f');
  file.appendSync([new Uint8Array(100).fill(1)]);
  file.syncSync('full');
  syncRoot(fs);
  const hasStale = (image: MemoryFileSystem) => (textOf(image, '/f') ?? '').includes('\t');
  file.appendSync([new Uint8Array(3000).fill(1)]);
  expect(statesOf(fs, 'subset', hasStale)).toEqual(new Set([false]));
  file.appendSync([new Uint8Array(6000).fill(1)]);
  expect(statesOf(fs, 'subset', hasStale)).toEqual(new Set([false, true]));
});

test('the dirs model lets a rename outrun the data of its file, and directories lose each other', () => {
  const fs = crashable();
  fs.mkdirSync('/d');
  syncRoot(fs);
  const file = fs.createWritableSync('/t');
  file.appendSync([bytesOf('data')]);
  fs.renameSync('/t', '/f');
  fs.createWritableSync('/d/g').closeSync();
  const states = statesOf(fs, 'dirs', (image) => `${textOf(image, '/f')} ${image.existsSync('/d/g')}`);
  for (const state of [' true', ' false', 'data true', 'undefined true', 'undefined false'])
    expect(states).toContain(state);
});

test.each(CRASH_MODELS)('a rename between directories is whole or not at all (%s)', (model) => {
  const fs = crashable();
  fs.mkdirSync('/a');
  fs.mkdirSync('/b');
  syncRoot(fs);
  const file = fs.createWritableSync('/a/f');
  const a = fs.openDirectorySync('/a');
  const b = fs.openDirectorySync('/b');
  a.syncSync('file-created');
  fs.renameSync('/a/f', '/b/f');
  const places = (image: MemoryFileSystem) => `${image.existsSync('/a/f')} ${image.existsSync('/b/f')}`;
  for (const place of statesOf(fs, model, places)) expect(['true false', 'false true']).toContain(place);
  b.syncSync('renamed');
  fs.createWritableSync('/b/later').closeSync();
  b.syncSync('file-created');
  expect(statesOf(fs, 'synced', places, 2)).toEqual(new Set(['true false']));
  expect(statesOf(fs, 'synced', (image) => image.existsSync('/b/later'), 2)).toEqual(new Set([true]));
  a.syncSync('renamed');
  expect(statesOf(fs, 'synced', places, 2)).toEqual(new Set(['false true']));
  file.closeSync();
});

test('an image is a file system of its own', () => {
  const fs = crashable();
  const file = fs.createWritableSync('/f');
  file.appendSync([bytesOf('shared')]);
  file.syncSync('full');
  syncRoot(fs);
  const image = fs.crashImage('synced', new SeededRandom(1));
  const before = image.contentHash();
  file.appendSync([bytesOf(' and more')]);
  expect(image.contentHash()).toBe(before);
  const other = image.reopenWritableSync('/f', { truncateTo: 2 });
  other.appendSync([bytesOf('X')]);
  expect(textOf(image, '/f')).toBe('shX');
  expect(textOf(fs, '/f')).toBe('shared and more');
  expect(image.contentHash()).not.toBe(before);
});

test('equal trees have equal hashes, whatever led to them', () => {
  const a = crashable();
  a.createWritableSync('/f').appendSync([bytesOf('abc')]);
  const b = new MemoryFileSystem();
  b.createWritableSync('/g').appendSync([bytesOf('a'), bytesOf('bcd')]);
  b.truncateSync('/g', 3);
  expect(a.contentHash()).not.toBe(b.contentHash());
  b.renameSync('/g', '/f');
  expect(a.contentHash()).toBe(b.contentHash());
});

test.each([
  ['cached', 'firstsecondthird', 'first\0\0\0\0\0\0third'],
  ['old', 'first\0\0\0\0\0\0third', 'first\0\0\0\0\0\0third'],
  ['zero', 'first\0\0\0\0\0\0third', 'first\0\0\0\0\0\0third'],
] as const)('a failed sync loses what it should have written (%s)', (failedSyncOutcome, seen, afterCut) => {
  let isFailing = false;
  const hooks = {
    before: (_: number, operation: { kind: string }) =>
      isFailing && operation.kind === 'sync' ? ({ errno: 'EIO' } as const) : undefined,
  };
  const fs = crashable({ failedSyncOutcome, hooks });
  const file = fs.createWritableSync('/f');
  syncRoot(fs);
  file.appendSync([bytesOf('first')]);
  file.syncSync('data');
  file.appendSync([bytesOf('second')]);
  isFailing = true;
  expect(() => file.syncSync('data')).toThrow(/EIO/);
  isFailing = false;
  expect(() => file.syncSync('data')).toThrow(/must not be used again/);
  file.closeSync();
  expect(textOf(fs.crashImage('synced', new SeededRandom(1)), '/f')).toBe(
    failedSyncOutcome === 'zero' ? 'first\0\0\0\0\0\0' : 'first',
  );
  // A new handle whose sync succeeds does not bring the bytes back, unless their page is written again.
  const again = fs.reopenWritableSync('/f');
  again.appendSync([new Uint8Array(0), bytesOf('third')]);
  expect(textOf(fs, '/f')).toBe(seen);
  again.syncSync('data');
  const found = textOf(fs.crashImage('synced', new SeededRandom(1)), '/f');
  expect(found).toBe(failedSyncOutcome === 'cached' ? 'firstsecondthird' : afterCut);
});

test('a full device takes what fits, then says NO_SPACE, and frees what is unlinked and closed', () => {
  const fs = new MemoryFileSystem({ capacityBytes: 10 });
  const file = fs.createWritableSync('/f');
  file.appendSync([new Uint8Array(6)]);
  expect(() => file.appendSync([new Uint8Array(3), new Uint8Array(3)])).toThrow(
    expect.objectContaining({ code: 'NO_SPACE', retryable: true }),
  );
  expect(fs.statSync('/f').size).toBe(10);
  expect(fs.freeSpaceSync('/')).toBe(0n);
  fs.unlinkSync('/f');
  expect(fs.freeSpaceSync('/')).toBe(0n);
  file.closeSync();
  expect(fs.freeSpaceSync('/')).toBe(10n);
  fs.capacityBytes = 20;
  expect(fs.freeSpaceSync('/')).toBe(20n);
});

test('above the limit of open files an open fails with EMFILE', () => {
  const fs = new MemoryFileSystem({ openFilesMax: 2 });
  const first = fs.createWritableSync('/1');
  fs.createWritableSync('/2');
  expect(() => fs.createWritableSync('/3')).toThrow(/EMFILE/);
  expect(fs.existsSync('/3')).toBe(false);
  first.closeSync();
  fs.createWritableSync('/3').closeSync();
});

test('without power every call fails, and what was there stays for an image', () => {
  const fs = crashable();
  const file = fs.createWritableSync('/f');
  syncRoot(fs);
  file.appendSync([bytesOf('abc')]);
  fs.hooks = { before: (_, operation) => (operation.kind === 'sync' ? 'power-off' : undefined) };
  expect(() => file.syncSync('data')).toThrow(/power is off/);
  expect(() => fs.existsSync('/f')).toThrow(/power is off/);
  expect(statesOf(fs, 'ordered', (image) => textOf(image, '/f'))).toContain('abc');
});

test('a hook after the effect fails what has happened', () => {
  const fs = new MemoryFileSystem({
    hooks: { after: (_, { kind }) => (kind === 'rename' ? { errno: 'EIO' } : undefined) },
  });
  fs.createWritableSync('/f').closeSync();
  try {
    fs.renameSync('/f', '/g');
    expect.unreachable();
  } catch (error) {
    expect(errnoOf(error)).toBe('EIO');
  }
  expect(fs.listSync('/')).toEqual(['g']);
});

test('a read hook changes what is read', () => {
  const fs = new MemoryFileSystem();
  fs.createWritableSync('/f').appendSync([bytesOf('abc')]);
  fs.hooks = {
    read: (_path, buffer, offset, count) => {
      if (offset <= 1 && offset + count > 1) buffer[1 - offset]! ^= 1;
    },
  };
  expect(textOf(fs, '/f')).toBe('acc');
});

test('without hard links the caller has to copy', () => {
  const fs = new MemoryFileSystem({ caps: { hardLink: false } });
  fs.createWritableSync('/f').closeSync();
  expect(() => fs.linkSync('/f', '/g')).toThrow(/EPERM/);
});

/** The order in which eight reads complete. */
async function completionOrder(seed: number): Promise<string> {
  const fs = new MemoryFileSystem({ scheduler: new SeededScheduler(new SeededRandom(seed)) });
  fs.createWritableSync('/f').appendSync([bytesOf('abc')]);
  const file = fs.openRandomSync('/f');
  const order: number[] = [];
  const reads = Array.from({ length: 8 }, async (_, i) => {
    await file.read(new Uint8Array(3), 0);
    order.push(i);
  });
  await Promise.all(reads);
  return order.join('');
}

test('the order of completion follows the seed', async () => {
  const orders = await Promise.all([1, 2, 3, 4, 5].map((seed) => completionOrder(seed)));
  expect(new Set(orders).size).toBeGreaterThan(3);
  expect(await Promise.all([1, 2, 3, 4, 5].map((seed) => completionOrder(seed)))).toEqual(orders);
});
