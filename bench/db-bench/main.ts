#!/usr/bin/env node
/** The program `db_bench`. */
import { dbBench } from './db-bench.ts';

process.exitCode = await dbBench(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  interactive: process.stderr.isTTY === true,
});
