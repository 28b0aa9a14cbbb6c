/** The API's suite over the machine's file system and over memory. */

import { join } from 'node:path';
import { DB, Env } from '../../src/index.ts';
import { apiSuite } from '../support/api-suite.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

apiSuite('a database on the file system', () => {
  const directory = temporaryDirectory();
  return {
    open: (options) => DB.open(join(directory.path, 'db'), options),
    dispose: async () => directory[Symbol.dispose](),
  };
});

apiSuite('S4 a database in memory', () => {
  const env = Env.memory();
  return {
    open: (options) => DB.open('/db', { ...options, env }),
    dispose: () => env.close(),
  };
});
