/**
 * Replays the damaged logs of the golden databases at the level of records, in every mode, and compares with what C++
 * RocksDB 7.8.3 answered. Then the stricter reading: damage that intact records follow is an error.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { iterateBatch, WriteBatchReader } from '../../../format/batch/write-batch-reader.ts';
import { toHex } from '../../../format/base/bytes.ts';
import { runSync } from '../../../format/base/io.ts';
import { findIntactRecordAfter } from '../../../format/log/intact-record-search.ts';
import { LogReader, LogStep } from '../../../format/log/log-reader.ts';
import {
  type WalCorruption,
  type WalRecoveryMode,
  WalRecoveryPolicy,
  walRecoveryModes,
} from '../../../format/log/recovery-policy.ts';
import { readManifest } from '../../../format/manifest/manifest-reader.ts';
import { bytesFile } from '../base/byte-files.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');
const modeNames: Readonly<Record<WalRecoveryMode, string>> = {
  tolerateCorruptedTailRecords: 'tolerate-corrupted-tail',
  absoluteConsistency: 'absolute-consistency',
  pointInTime: 'point-in-time',
  skipAnyCorruptedRecords: 'skip-any-corrupted',
};

interface Recovered {
  readonly ok: boolean;
  readonly entries: Map<string, string>;
  readonly lastSequence: number;
  readonly dropped: number;
}

/** The replay of one database, as the database itself does it, into a map. */
class Replay {
  readonly entries = new Map<string, string>();
  lastSequence: number;
  dropped = 0;
  readonly policy: WalRecoveryPolicy;

  constructor(policy: WalRecoveryPolicy, lastSequence: number) {
    this.policy = policy;
    this.lastSequence = lastSequence;
  }

  /** False when recovery fails. */
  file(bytes: Uint8Array, path: string, logNumber: number): boolean {
    const file = bytesFile(bytes, path);
    const reader = new LogReader(file, { logNumber });
    try {
      for (;;) {
        const step = runSync(reader.next());
        if (step === LogStep.end) return true;
        if (step === LogStep.event) {
          const { kind, offset, bytes: lost } = reader.event!;
          this.dropped += lost;
          const asked = this.policy.needsSearch(kind, reader.recycled);
          const found = asked && runSync(findIntactRecordAfter(file, offset, { logNumber })) !== undefined;
          const action = this.policy.onDamage(kind, reader.recycled, found);
          if (action === 'error') return false;
          if (action !== 'skip') return true;
          continue;
        }
        const batch = reader.record();
        const action = this.policy.onRecord(new WriteBatchReader(batch).sequence, this.lastSequence + 1);
        if (action !== 'apply') return action === 'skipFile';
        this.#apply(batch);
      }
    } finally {
      reader.close();
    }
  }

  #apply(batch: Uint8Array): void {
    iterateBatch(batch, {
      put: (_, key, value) => {
        this.entries.set(toHex(key), toHex(value));
      },
      delete: (_, key) => {
        this.entries.delete(toHex(key));
      },
    });
    const { sequence, count } = new WriteBatchReader(batch);
    this.lastSequence = Math.max(this.lastSequence, sequence + count - 1);
  }
}

function recover(name: string, mode: WalRecoveryMode, walCorruption: WalCorruption): Recovered {
  const db = join(fixtures, name, 'db');
  const files = readdirSync(db);
  const manifest = join(db, files.find((file) => file.startsWith('MANIFEST-'))!);
  const { state } = runSync(readManifest(bytesFile(readFileSync(manifest), manifest)));
  const replay = new Replay(new WalRecoveryPolicy(mode, walCorruption), state.lastSequence ?? 0);
  const logs = files.filter((file) => file.endsWith('.log')).sort();
  const ok = logs.every((log) => {
    const number = Number.parseInt(log, 10);
    return number < state.minLogNumber || replay.file(readFileSync(join(db, log)), log, number);
  });
  return { ok, entries: replay.entries, lastSequence: replay.lastSequence, dropped: replay.dropped };
}

const damaged = readdirSync(fixtures).filter((name) => name.startsWith('damaged-wal-'));

describe('recovery of damaged logs', () => {
  test('there are enough of them', () => {
    expect(damaged.length).toBeGreaterThanOrEqual(13);
  });

  for (const name of damaged) {
    const { recovery } = JSON.parse(readFileSync(join(fixtures, name, 'fixture.json'), 'utf8')) as {
      recovery: Record<string, { ok: boolean; entries?: number; lastSequence?: number }>;
    };
    for (const mode of walRecoveryModes) {
      test(`${name}, ${mode}: as RocksDB answers`, () => {
        const expected = recovery[modeNames[mode]]!;
        const found = recover(name, mode, 'recoverToPoint');
        expect(found.ok).toBe(expected.ok);
        if (!expected.ok) return;
        expect(found.entries.size).toBe(expected.entries);
        expect(found.lastSequence).toBe(expected.lastSequence);
        const path = join(fixtures, name, `expected.${modeNames[mode]}.jsonl`);
        if (existsSync(path)) expect(Object.fromEntries(found.entries)).toEqual(expectedEntries(path));
      });
    }
  }

  /** By name: whether open fails with the default options, and whether bytes are reported as dropped where it does not. */
  const strict: Readonly<Record<string, 'error' | 'dropped' | 'clean'>> = {
    'damaged-wal-clean-cut': 'clean',
    'damaged-wal-crc-last': 'dropped',
    'damaged-wal-crc-middle': 'error',
    'damaged-wal-empty': 'clean',
    'damaged-wal-first-of-two-crc': 'error',
    'damaged-wal-first-of-two-missing': 'clean',
    'damaged-wal-first-of-two-torn': 'error',
    'damaged-wal-length-middle': 'error',
    'damaged-wal-second-of-two-crc': 'error',
    'damaged-wal-torn-header': 'dropped',
    'damaged-wal-torn-payload': 'dropped',
    'damaged-wal-zero-middle': 'error',
    'damaged-wal-zero-tail': 'clean',
    'damaged-wal-zero-tail-2blocks': 'clean',
  };
  test.each(damaged)('%s with the default options: damage in the middle is an error', (name) => {
    const found = recover(name, 'pointInTime', 'errorIfNotTail');
    expect(found.ok ? (found.dropped > 0 ? 'dropped' : 'clean') : 'error').toBe(strict[name]);
  });
});

describe('the policy by itself', () => {
  test('after a stop only an exact continuation is taken', () => {
    const policy = new WalRecoveryPolicy('pointInTime', 'recoverToPoint');
    expect(policy.onDamage('checksumMismatch', false, false)).toBe('stop');
    expect(policy.onRecord(12, 10)).toBe('skipFile');
    expect(policy.onRecord(10, 10)).toBe('apply');
    expect(policy.onRecord(99, 11)).toBe('apply');
  });

  test('an old record ends a recycled log and is no reason to search', () => {
    const policy = new WalRecoveryPolicy('pointInTime', 'errorIfNotTail');
    expect(policy.needsSearch('oldRecord', true)).toBe(false);
    expect(policy.onDamage('oldRecord', true, false)).toBe('endFile');
    expect(policy.stopped).toBe(false);
    expect(policy.needsSearch('damagedOldRecord', true)).toBe(true);
    expect(policy.onDamage('damagedOldRecord', true, true)).toBe('error');
  });

  test('skipping everything never fails', () => {
    const policy = new WalRecoveryPolicy('skipAnyCorruptedRecords', 'errorIfNotTail');
    for (const kind of ['checksumMismatch', 'badLength', 'malformedBatch', 'zeroGap', 'truncatedBody'] as const)
      expect(policy.onDamage(kind, false, true)).not.toBe('error');
  });
});

function expectedEntries(path: string): Record<string, string> {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => JSON.parse(line) as { k: string; v: string }).map(({ k, v }) => [k, v]),
  );
}
