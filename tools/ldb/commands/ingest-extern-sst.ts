/** `ingest_extern_sst`: makes a table that was written outside part of the database. */
import { resolve } from 'node:path';
import { statusText } from '../../lib/status-text.ts';
import { CREATE_FLAG, type LdbCommand } from '../command.ts';
import { commandFailure } from '../command-failure.ts';

/** The flags are RocksDB's, and so are their defaults. */
export const ingestExternSstCommand: LdbCommand = {
  name: 'ingest_extern_sst',
  usage: 'ingest_extern_sst <input_sst_path>',
  group: 'admin',
  formats: [],
  flags: {
    ...CREATE_FLAG,
    move_files: {
      kind: 'boolean',
      help: 'Link the table into the database and remove its old name, instead of copying it.',
    },
    snapshot_consistency: { kind: 'boolean', help: 'Hide it from snapshots that are open; default true.' },
    allow_global_seqno: { kind: 'boolean', help: 'Give its entries a sequence where they need one; default true.' },
    allow_blocking_flush: { kind: 'boolean', help: 'Flush memtables that it overlaps; default true.' },
    ingest_behind: {
      kind: 'boolean',
      help: 'Below all other data: refused, as databases without allow_ingest_behind do.',
    },
    write_global_seqno: { kind: 'boolean', help: 'Write the sequence into the table, too; default true.' },
  },
  needsDatabase: true,
  async run(context) {
    const { flags, params } = context;
    const allowGlobalSeqno = flags.boolean('allow_global_seqno', true);
    const writeGlobalSeqno = flags.boolean('write_global_seqno', true);
    if (allowGlobalSeqno && !writeGlobalSeqno) {
      context.err.line('Warning: not writing global_seqno to the ingested SST can');
      context.err.line('prevent older versions of RocksDB from being able to open it');
    }
    if (!allowGlobalSeqno && writeGlobalSeqno) {
      throw commandFailure('ldb cannot write global_seqno to the ingested SST when global_seqno is not allowed');
    }
    if (params.length !== 1) throw commandFailure('input SST path must be specified');
    await using db = await context.openForWrite(flags.boolean('create_if_missing'));
    const family = context.family(db);
    if (flags.boolean('ingest_behind')) {
      throw commandFailure(
        "failed to ingest external SST: Invalid argument: can't ingest_behind file in DB with allow_ingest_behind=false",
      );
    }
    try {
      await family.ingestExternalFile([resolve(params[0]!)], {
        moveFiles: flags.boolean('move_files'),
        snapshotConsistency: flags.boolean('snapshot_consistency', true),
        allowBlockingFlush: flags.boolean('allow_blocking_flush', true),
        allowGlobalSeqno,
        writeGlobalSeqno,
      });
    } catch (error) {
      throw commandFailure(`failed to ingest external SST: ${statusText(error)}`);
    }
    context.err.line('external SST files ingested');
  },
};
