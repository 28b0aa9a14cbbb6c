#!/usr/bin/env node
/** The program `pumice`: the package's programs under one name, and a few commands of its own. */
import { runAsProcess } from '../lib/tool-process.ts';
import { programUrl } from './programs.ts';
import { pumice } from './pumice.ts';

const program = programUrl(process.argv[2] ?? '');
if (program === undefined) {
  await runAsProcess(pumice);
} else {
  // The program reads its arguments where it always does.
  process.argv.splice(2, 1);
  await import(program.href);
}
