#!/usr/bin/env node
/** The program `crash_test`. */
import { runAsProcess } from '../lib/tool-process.ts';
import { crashTest } from './crash-test.ts';

await runAsProcess(crashTest);
