/** File systems with a planted bug: an engine that forgets a sync, or a file that should have gone, looks like this. */

import { type FileKind, fileKindOf } from '../../src/env/file-operation.ts';
import type { CreateOptions, Directory, WritableFile } from '../../src/env/file-system.ts';
import { MemoryFileSystem, type MemoryFileSystemOptions } from '../../src/env/memory-file-system.ts';

/** What is forgotten. */
export interface PlantedBug {
  name: string;
  /** Syncs of directories do nothing. */
  forgetsDirectorySyncs?: boolean;
  /** Syncs of these files resolve before anything is durable. */
  forgetsSyncsOf?: FileKind;
  /** Unlinks of these files do nothing, as if a reference were never given back. */
  keepsFiles?: FileKind;
  /** Not the file system's: compactions are planned as if no older sorted run lay below their output. */
  dropsTombstonesEarly?: boolean;
}

/** A memory file system whose caller seems to have the bug. */
export class FaultyFileSystem extends MemoryFileSystem {
  private readonly bug: PlantedBug;

  constructor(options: MemoryFileSystemOptions, bug: PlantedBug) {
    super(options);
    this.bug = bug;
  }

  override async createWritable(path: string, options?: CreateOptions): Promise<WritableFile> {
    return this.forgetful(path, await super.createWritable(path, options));
  }

  override createWritableSync(path: string, options?: CreateOptions): WritableFile {
    return this.forgetful(path, super.createWritableSync(path, options));
  }

  override async openDirectory(path: string): Promise<Directory> {
    return this.forgetfulDirectory(await super.openDirectory(path));
  }

  override openDirectorySync(path: string): Directory {
    return this.forgetfulDirectory(super.openDirectorySync(path));
  }

  override async unlink(path: string): Promise<void> {
    if (fileKindOf(path) !== this.bug.keepsFiles) {
      await super.unlink(path);
    }
  }

  override unlinkSync(path: string): void {
    if (fileKindOf(path) !== this.bug.keepsFiles) {
      super.unlinkSync(path);
    }
  }

  private forgetful(path: string, file: WritableFile): WritableFile {
    return fileKindOf(path) === this.bug.forgetsSyncsOf ? withoutSyncs(file, ['sync', 'syncSync']) : file;
  }

  private forgetfulDirectory(directory: Directory): Directory {
    return this.bug.forgetsDirectorySyncs === true ? withoutSyncs(directory, ['sync', 'syncSync']) : directory;
  }
}

/** The same handle, whose named methods do nothing; the asynchronous ones resolve, as callers expect. */
function withoutSyncs<T extends object>(handle: T, methods: readonly string[]): T {
  return new Proxy(handle, {
    get(target, name) {
      if (methods.includes(String(name))) {
        return () => (String(name).endsWith('Sync') ? undefined : Promise.resolve());
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
