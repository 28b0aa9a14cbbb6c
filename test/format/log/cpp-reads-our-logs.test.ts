/** C++ RocksDB's `ldb dump_wal` must read the logs that we write: plain, with log numbers, and compressed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setFixed64 } from '../../../format/base/coding.ts';
import { runSync } from '../../../format/base/io.ts';
import { WriteBatch } from '../../../format/batch/write-batch.ts';
import { decompressZstdFrames, makeZstd } from '../../../format/compression/zstd.ts';
import { LogWriter, type LogWriterOptions } from '../../../format/log/log-writer.ts';
import { GrowingFile } from '../base/byte-files.ts';
import { readLog, recordsOf } from './log-steps.ts';

function hasLdb(): boolean {
  try {
    execFileSync('ldb', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return true;
    if (process.env.CI !== undefined) throw error;
    console.warn('skipped: no ldb of C++ RocksDB on this machine');
    return false;
  }
}

function compress(record: Uint8Array): Uint8Array {
  const target = new Uint8Array(record.length + 1024);
  return target.slice(0, makeZstd().compress(record, target, {}));
}

/** Batches of all kinds; one is larger than three blocks. */
function batches(): WriteBatch[] {
  const family = { id: 3 };
  const all: WriteBatch[] = [];
  for (let i = 0; i < 50; i++) {
    const batch = new WriteBatch().put(`key${i}`, `value${i}`.repeat(i === 20 ? 20_000 : i)).delete(`gone${i}`);
    batch.singleDelete('s').merge('m', 'o').deleteRange('a', 'b').putLogData('note').put('f', 'v', family);
    all.push(batch);
  }
  return all;
}

const forms: [string, LogWriterOptions][] = [
  ['plain', {}],
  ['with log numbers', { recyclableLogNumber: 7 }],
  ['compressed', { compress }],
  ['compressed with log numbers', { compress, recyclableLogNumber: 7 }],
];

test.runIf(hasLdb()).each(forms)('C++ RocksDB dumps our logs: %s', (_, options) => {
  const directory = mkdtempSync(join(tmpdir(), 'pumice-wal-'));
  try {
    const file = new GrowingFile();
    const writer = new LogWriter(file, options);
    let sequence = 1;
    const written = batches();
    for (const batch of written) {
      const data = batch.encode(() => 0);
      setFixed64(data, 0, sequence);
      sequence += batch.count;
      runSync(writer.append(data));
    }
    writer.close();
    const ours = readLog(file.bytes, { logNumber: 7, decompress: (frame) => decompressZstdFrames(frame, 1 << 30) });
    expect(recordsOf(ours)).toHaveLength(written.length);
    const path = join(directory, '000007.log');
    writeFileSync(path, file.bytes);
    const text = execFileSync('ldb', ['dump_wal', `--walfile=${path}`, '--header'], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const lines = text.split('\n').filter((line) => /^\d+,/.test(line));
    expect(lines).toHaveLength(written.length);
    expect(lines[1]).toMatch(/^7,6,\d+,\d+,PUT\(0\) : 0x6B657931 DELETE\(0\) : 0x676F6E6531 SINGLE_DELETE\(0\) : 0x73/);
    expect(lines.at(-1)).toMatch(new RegExp(`^${sequence - 6},6,${written.at(-1)!.byteSize},`));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
