/**
 * Writes the MANIFEST: appends version edits, syncs, and begins a new file when one is due. Which edits, and what becomes
 * of them, is `version-set.ts`.
 */
import { closeFile, syncFull } from '../../format/base/file-io.ts';
import { type Io, repeatableIo } from '../../format/base/io.ts';
import { LogWriter } from '../../format/log/log-writer.ts';
import { encodeCurrent } from '../../format/manifest/current-file.ts';
import { CURRENT_FILE, manifestFileName, tempFileName } from '../../format/manifest/file-name.ts';
import { encodeVersionEdit, type VersionEdit } from '../../format/manifest/version-edit.ts';
import { createFresh, replaceWhole } from '../env/file-operations.ts';
import type { WritableFile } from '../env/file-system.ts';
import type { DbContext } from '../options/db-context.ts';

/** One open MANIFEST file. */
export class ManifestWriter {
  readonly number: number;
  readonly #context: DbContext;
  readonly #file: WritableFile;
  readonly #log: LogWriter;

  private constructor(context: DbContext, number: number, file: WritableFile) {
    this.number = number;
    this.#context = context;
    this.#file = file;
    this.#log = new LogWriter(file);
  }

  /** Creates MANIFEST `number` with the records of `edits`, and syncs it. CURRENT does not name it yet. */
  static *create(context: DbContext, number: number, edits: readonly VersionEdit[]): Io<ManifestWriter> {
    const file = yield* createFresh(context.fs, `${context.path}/${manifestFileName(number)}`);
    const writer = new ManifestWriter(context, number, file);
    try {
      writer.append(edits);
      yield* syncFull(file);
    } catch (error) {
      file.closeSync();
      throw error;
    }
    return writer;
  }

  /** Makes CURRENT name this MANIFEST: durable, old or new whatever crashes in between. */
  *makeCurrent(): Io<void> {
    const { fs, path } = this.#context;
    yield* replaceWhole(
      fs,
      path,
      `${path}/${tempFileName(this.number)}`,
      `${path}/${CURRENT_FILE}`,
      encodeCurrent(this.number),
    );
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#file.size;
  }

  /** Appends records. Not durable before `sync`. In place: it is one short append to the page cache. */
  append(edits: readonly VersionEdit[]): void {
    for (const edit of edits) this.#log.add(encodeVersionEdit(edit));
    this.#log.flushSync();
  }

  /** Makes everything appended durable. */
  *sync(): Io<void> {
    const start = this.#context.clock.monotonicMicros();
    yield* repeatableIo(
      () => this.#file.syncSync('data'),
      () => this.#file.sync('data'),
    );
    this.#context.statistics?.count('rocksdb.manifest.synced');
    this.#context.statistics?.record(
      'rocksdb.manifest.file.sync.micros',
      this.#context.clock.monotonicMicros() - start,
    );
  }

  close(): Io<void> {
    this.#log.close();
    return closeFile(this.#file);
  }
}
