#!/usr/bin/env node
/** The program `sst_dump`. */
import { runAsProcess } from '../lib/tool-process.ts';
import { sstDump } from './sst-dump.ts';

await runAsProcess(sstDump);
