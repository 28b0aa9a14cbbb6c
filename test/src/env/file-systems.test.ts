/** Runs the conformance suite on every file system there is. */
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { type FileSystemUnderTest, fileSystemSuite } from '../../conformance/file-system-suite.ts';
import { FaultFileSystem } from '../../../src/env/fault-injection-file-system.ts';
import type { FileSystem } from '../../../src/env/file-system.ts';
import { MemoryFileSystem } from '../../../src/env/memory-file-system.ts';
import { NodeFileSystem } from '../../../src/env/node-file-system.ts';
import { SeededRandom } from '../../../src/env/random.ts';
import { SeededScheduler } from '../../../src/env/seeded-scheduler.ts';

function onDisk(fs: FileSystem): FileSystemUnderTest {
  const directory = temporaryDirectory();
  return { fs, root: directory.path, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

function inMemory(fs: FileSystem): FileSystemUnderTest {
  fs.mkdirSync('/db');
  return { fs, root: '/db', [Symbol.dispose]: () => {} };
}

fileSystemSuite('NodeFileSystem', () => onDisk(new NodeFileSystem()));
fileSystemSuite('NodeFileSystem with owner files', () => onDisk(new NodeFileSystem({ nativeLocks: false })));
fileSystemSuite('MemoryFileSystem', () => inMemory(new MemoryFileSystem()));
fileSystemSuite('MemoryFileSystem, crashable and scheduled', () =>
  inMemory(new MemoryFileSystem({ crashable: true, scheduler: new SeededScheduler(new SeededRandom(1)) })),
);
fileSystemSuite('FaultFileSystem without rules', () => onDisk(new FaultFileSystem(new NodeFileSystem())));
