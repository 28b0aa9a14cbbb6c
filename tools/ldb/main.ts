#!/usr/bin/env node
/** The program `ldb`. */
import { runAsProcess } from '../lib/tool-process.ts';
import { ldb } from './ldb.ts';

await runAsProcess(ldb);
