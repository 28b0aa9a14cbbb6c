/** `file_checksum_dump`: the whole-file checksums that the MANIFEST records of tables. */
import { CURRENT_FILE } from '../../../format/manifest/file-name.ts';
import { prefixedHex, upperHex } from '../../lib/hex.ts';
import type { LdbCommand } from '../command.ts';
import { familyFiles, readManifestState } from '../manifest-file.ts';
import { manifestPath } from './manifest-dump.ts';

/** One line a table, by file number: number, function, checksum. */
export const fileChecksumDumpCommand: LdbCommand = {
  name: 'file_checksum_dump',
  usage: 'file_checksum_dump [--path=<path_to_manifest_file>]',
  group: 'admin',
  formats: ['hex', 'json'],
  flags: { path: { kind: 'text' } },
  needsDatabase: false,
  async run(context) {
    if (context.flags.text('path') === undefined && context.path !== '') {
      await context.requireFile(`${context.path}/${CURRENT_FILE}`);
    }
    const { state } = await readManifestState(context.fileSystem, await manifestPath(context));
    const files = [...state.families.values()].flatMap((family) => familyFiles(family));
    const hex = context.flags.boolean('hex');
    for (const { number, checksumFunction, checksum } of files.sort((a, b) => a.number - b.number)) {
      if (context.json) {
        context.out.line(JSON.stringify({ number, checksumFunction, checksum: upperHex(checksum) }));
      } else {
        const shown = hex ? prefixedHex(checksum) : checksum;
        context.out.line(`${number}, ${checksumFunction}, `, shown);
      }
    }
    if (!context.json) context.out.line('Print SST file checksum information finished ');
  },
};
