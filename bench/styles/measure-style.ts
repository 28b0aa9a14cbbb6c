/** One load of random overwrites under one compaction style, and what it cost: bytes, no times. */
import { SeededRandom } from '../../src/env/random.ts';
import { DB, Env, type Options } from '../../src/index.ts';

/** What is written. */
export interface StyleLoad {
  writes: number;
  /** Keys are drawn from so many. */
  keys: number;
  /** Bytes a value. */
  valueSize: number;
  seed: number;
}

/** What a style made of it. */
export interface StyleCost {
  style: 'level' | 'universal';
  /** Bytes of tables that flushes and compactions wrote for each byte that was put. */
  writeAmplification: number;
  /** Bytes of tables at their most for each byte of rows that are left at the end. */
  spaceAmplification: number;
  /** Most bytes of tables that a version held. */
  peakBytes: number;
  /** Bytes of rows at the end, keys and values. */
  liveBytes: number;
  rows: number;
}

const KEY_DIGITS = 16;
/** Writes between two turns of the event loop, in which background work goes on. */
const TURN = 200;

/** A tree so small that the load makes several levels of it. */
function treeOf(load: StyleLoad): Options {
  const bytes = load.writes * (load.valueSize + KEY_DIGITS);
  const writeBufferSize = Math.max(64 * 1024, Math.ceil(bytes / 128));
  return {
    writeBufferSize,
    targetFileSizeBase: writeBufferSize,
    maxBytesForLevelBase: writeBufferSize * 2,
    // So many runs before any is merged: the fewer, the more often universal compaction rewrites the young ones.
    level0FileNumCompactionTrigger: 8,
    compression: 'none',
  };
}

/** Overwrites in memory until the load is written, waits for compactions, and reads what is left. */
export async function measureStyle(style: StyleCost['style'], load: StyleLoad): Promise<StyleCost> {
  let peakBytes = 0;
  const onTableFileCreated = (): void => {
    peakBytes = Math.max(peakBytes, db.getColumnFamilyMetaData().size);
  };
  const db: DB = await DB.open('/styles', {
    ...treeOf(load),
    env: Env.memory(),
    createIfMissing: true,
    compactionStyle: style,
    listeners: [{ onTableFileCreated }],
  });
  const random = new SeededRandom(load.seed);
  const value = new Uint8Array(load.valueSize);
  for (let i = 0; i < load.writes; i++) {
    db.putSync(String(random.below(load.keys)).padStart(KEY_DIGITS, '0'), value);
    if (i % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await db.flush();
  await db.pauseBackgroundWork();
  const { write } = db.getAmplification();
  let [rows, liveBytes] = [0, 0];
  for (const [key, found] of db.entriesSync()) {
    rows++;
    liveBytes += key.length + found.length;
  }
  await db.close();
  return { style, writeAmplification: write, spaceAmplification: peakBytes / liveBytes, peakBytes, liveBytes, rows };
}
