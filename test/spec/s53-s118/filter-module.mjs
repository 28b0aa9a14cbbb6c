/** A compaction filter that worker threads load by module: drops keys that begin with `options.drop`. */
export function makeFilter(options) {
  return {
    name: 'test.DropPrefix',
    filter: (_level, key) => (Buffer.from(key).toString('latin1').startsWith(options.drop) ? 'remove' : 'keep'),
  };
}
