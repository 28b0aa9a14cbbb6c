/**
 * Runs the tests that y-leveldb ships, over `PumiceLevel` in place of the package `level`. They keep their database below the
 * working directory, so that this changes to the directory that its argument names. The exit code says whether all passed.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PumiceLevel } from '../../src/utilities/level/index.ts';

const own = createRequire(import.meta.url);
const packageFile = own.resolve('y-leveldb/package.json');
const load = createRequire(packageFile);

// What `require('level')` then finds has been loaded already.
load.cache[load.resolve('level')] = { exports: { Level: PumiceLevel }, loaded: true } as NodeModule;
process.chdir(process.argv[2]!);
load(join(dirname(packageFile), 'dist/test.cjs'));
