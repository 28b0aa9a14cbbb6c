/** A pause for work that is done in slices on the opening thread. */
import { type Io, repeatableIo } from '../../format/base/io.ts';

/** The event loop turns once; a caller that blocks just goes on. */
export function eventLoopTurn(): Io<void> {
  return repeatableIo(
    () => {},
    () => new Promise<void>((resolve) => setImmediate(resolve)),
    () => 'turn',
  );
}
