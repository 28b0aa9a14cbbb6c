/** What the machine says of itself. */
import os from 'node:os';

/** Its name, for table properties; empty where it has none. */
export function hostName(): string {
  return os.hostname();
}

/** Cores that this process may use. */
export function coreCount(): number {
  return os.availableParallelism();
}
