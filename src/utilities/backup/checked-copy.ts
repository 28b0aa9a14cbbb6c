/** Copies and reads of files with their CRC-32C, the checksum of backups. */
import { corruption } from '../../../format/base/db-error.ts';
import { crc32c } from '../../../format/kernel/crc32c-choice.ts';
import { getKernel } from '../../../format/kernel/kernel.ts';
import { runAsync } from '../../../format/base/io.ts';
import { createFresh } from '../../env/file-operations.ts';
import type { FileSystem, SequentialFile, WritableFile } from '../../env/file-system.ts';

const CHUNK_BYTES = 256 * 1024;
/** The kernel's loops may read this far behind what they are given. */
const SLACK = 16;

/** What was read. */
export interface ReadFacts {
  sizeBytes: number;
  checksum: number;
}

/** Where a copy comes from and goes to. */
export interface CheckedCopy {
  /** `noFollow` refuses a link, for where others may have planted one; tables of a database may be moved by links. */
  from: { fs: FileSystem; path: string; noFollow: boolean };
  to: { fs: FileSystem; path: string };
  /** Bytes to copy at most. */
  limitBytes?: number;
}

/** Copies to a new file and syncs its data. */
export async function copyChecked({ from, to, limitBytes }: CheckedCopy): Promise<ReadFacts> {
  const source = await from.fs.openSequential(from.path, { noFollow: from.noFollow });
  try {
    const target = await runAsync(createFresh(to.fs, to.path));
    try {
      const facts = await readAll(source, limitBytes ?? Number.MAX_SAFE_INTEGER, target);
      await target.sync('full');
      return facts;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Reads a file through. Links are not followed. */
export async function checksumOf(fs: FileSystem, path: string): Promise<ReadFacts> {
  const source = await fs.openSequential(path, { noFollow: true });
  try {
    return await readAll(source, Number.MAX_SAFE_INTEGER, undefined);
  } finally {
    await source.close();
  }
}

/** `CORRUPTION` unless the file at `path` has the size and the checksum that are known of it. */
export function checkFacts(
  path: string,
  facts: ReadFacts,
  expected: { sizeBytes: number | undefined; checksum: number | undefined },
): void {
  if (expected.sizeBytes !== undefined && facts.sizeBytes !== expected.sizeBytes) {
    throw corruption(`${path}: expected ${expected.sizeBytes} bytes, found ${facts.sizeBytes}`);
  }
  if (expected.checksum !== undefined && facts.checksum !== expected.checksum) {
    throw corruption(`${path}: expected checksum ${expected.checksum}, found ${facts.checksum}`);
  }
}

async function readAll(
  source: SequentialFile,
  limitBytes: number,
  target: WritableFile | undefined,
): Promise<ReadFacts> {
  const kernel = getKernel();
  const chunk = kernel.malloc(CHUNK_BYTES + SLACK);
  let sizeBytes = 0;
  let checksum = 0;
  try {
    while (sizeBytes < limitBytes) {
      const wanted = Math.min(CHUNK_BYTES, limitBytes - sizeBytes);
      const size = await source.read(kernel.bytes(chunk, wanted));
      if (size === 0) break;
      checksum = crc32c().extend(checksum, chunk, size) >>> 0;
      await target?.append([kernel.bytes(chunk, size)]);
      sizeBytes += size;
    }
  } finally {
    kernel.free(chunk);
  }
  return { sizeBytes, checksum };
}
