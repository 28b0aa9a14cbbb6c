/** `db.batch()` of a `PumiceLevel`: operations go straight into the engine's own encoding. */
import { AbstractChainedBatch, type AbstractLevel } from 'abstract-level';
import { WriteBatch } from '../../../format/batch/write-batch.ts';
import { asLevel } from './level-error.ts';
import type { LevelData, LevelWriteOptions } from './level-format.ts';

type Level<K, V> = AbstractLevel<LevelData, K, V>;

/** A batch that is built call by call and written once. */
export class LevelChainedBatch<K, V> extends AbstractChainedBatch<Level<K, V>, K, V> {
  readonly #batch = new WriteBatch();
  readonly #write: (batch: WriteBatch, options: LevelWriteOptions) => Promise<void>;

  /** `write` writes the batch to the database. */
  constructor(db: Level<K, V>, write: (batch: WriteBatch, options: LevelWriteOptions) => Promise<void>) {
    super(db);
    this.#write = write;
  }

  _put(key: LevelData, value: LevelData): void {
    this.#batch.put(key, value);
  }

  _del(key: LevelData): void {
    this.#batch.delete(key);
  }

  _clear(): void {
    this.#batch.clear();
  }

  _write(options: LevelWriteOptions): Promise<void> {
    return asLevel(() => this.#write(this.#batch, { sync: options.sync === true }));
  }

  async _close(): Promise<void> {
    this.#batch.clear();
  }
}
