/** Entries whose values lie in blob files: they can be shown as they are stored, but not decoded. */
import { typeOf, ValueType } from '../../format/base/internal-key.ts';
import { ToolFailure } from './tool-failure.ts';

/** Fails at an entry that `--decode_blob_index` would have to take apart. */
export function refuseBlobIndex(internalKey: Uint8Array, path: string): void {
  if (typeOf(internalKey) !== ValueType.blobIndex) return;
  throw new ToolFailure(
    `Not implemented: --decode_blob_index: ${path} has blob indexes, and blob files are not supported`,
  );
}
