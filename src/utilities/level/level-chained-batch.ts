/** `db.batch()` of a `PumiceLevel`: operations go straight into the engine's own encoding. */
import { AbstractChainedBatch } from 'abstract-level';
import { WriteBatch } from '../../../format/batch/write-batch.ts';
import { asLevel } from './level-error.ts';
import type { LevelData } from './level-format.ts';
import type { LevelWriteOptions, PumiceLevel } from './pumice-level.ts';

/** A batch that is built call by call and written once. */
export class LevelChainedBatch<K, V> extends AbstractChainedBatch<PumiceLevel<K, V>, K, V> {
  readonly #batch = new WriteBatch();
  readonly #level: PumiceLevel<K, V>;

  constructor(db: PumiceLevel<K, V>) {
    super(db);
    this.#level = db;
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
    return asLevel(() => this.#level.database.write(this.#batch, { sync: options.sync === true }));
  }

  async _close(): Promise<void> {
    this.#batch.clear();
  }
}
