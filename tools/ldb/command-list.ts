/** Every command of ldb, in the order of the help. */
import type { LdbCommand } from './command.ts';
import { approxSizeCommand } from './commands/approx-size.ts';
import { backupCommand } from './commands/backup.ts';
import { batchPutCommand } from './commands/batch-put.ts';
import { changeCompactionStyleCommand } from './commands/change-compaction-style.ts';
import { checkConsistencyCommand } from './commands/check-consistency.ts';
import { checkpointCommand } from './commands/checkpoint.ts';
import { compactCommand } from './commands/compact.ts';
import { createColumnFamilyCommand } from './commands/create-column-family.ts';
import { deleteCommand } from './commands/delete.ts';
import { deleteRangeCommand } from './commands/delete-range.ts';
import { dropColumnFamilyCommand } from './commands/drop-column-family.ts';
import { dumpCommand } from './commands/dump.ts';
import { dumpLiveFilesCommand } from './commands/dump-live-files.ts';
import { dumpWalCommand } from './commands/dump-wal.ts';
import { fileChecksumDumpCommand } from './commands/file-checksum-dump.ts';
import { getCommand } from './commands/get.ts';
import { getEntityCommand, putEntityCommand } from './commands/get-entity.ts';
import { getPropertyCommand } from './commands/get-property.ts';
import { ingestExternSstCommand } from './commands/ingest-extern-sst.ts';
import { internalDumpCommand } from './commands/internal-dump.ts';
import { listColumnFamiliesCommand } from './commands/list-column-families.ts';
import { listFileRangeDeletesCommand } from './commands/list-file-range-deletes.ts';
import { listLiveFilesMetadataCommand } from './commands/list-live-files-metadata.ts';
import { loadCommand } from './commands/load.ts';
import { manifestDumpCommand } from './commands/manifest-dump.ts';
import { multiGetCommand } from './commands/multi-get.ts';
import { putCommand } from './commands/put.ts';
import { queryCommand } from './commands/query.ts';
import { reduceLevelsCommand } from './commands/reduce-levels.ts';
import { repairCommand } from './commands/repair.ts';
import { restoreCommand } from './commands/restore.ts';
import { scanCommand } from './commands/scan.ts';
import { singleDeleteCommand } from './commands/single-delete.ts';
import { unsafeRemoveSstFileCommand } from './commands/unsafe-remove-sst-file.ts';
import { updateManifestCommand } from './commands/update-manifest.ts';
import { writeExternSstCommand } from './commands/write-extern-sst.ts';

/** Data access first, then administration. */
export const COMMANDS: readonly LdbCommand[] = [
  putCommand,
  getCommand,
  multiGetCommand,
  getEntityCommand,
  putEntityCommand,
  batchPutCommand,
  scanCommand,
  deleteCommand,
  singleDeleteCommand,
  deleteRangeCommand,
  queryCommand,
  approxSizeCommand,
  checkConsistencyCommand,
  listFileRangeDeletesCommand,
  dumpWalCommand,
  compactCommand,
  reduceLevelsCommand,
  changeCompactionStyleCommand,
  dumpCommand,
  loadCommand,
  manifestDumpCommand,
  updateManifestCommand,
  fileChecksumDumpCommand,
  getPropertyCommand,
  listColumnFamiliesCommand,
  createColumnFamilyCommand,
  dropColumnFamilyCommand,
  dumpLiveFilesCommand,
  internalDumpCommand,
  listLiveFilesMetadataCommand,
  repairCommand,
  backupCommand,
  restoreCommand,
  checkpointCommand,
  writeExternSstCommand,
  ingestExternSstCommand,
  unsafeRemoveSstFileCommand,
];
