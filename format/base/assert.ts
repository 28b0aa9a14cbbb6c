/**
 * Checks an invariant of our own state. A failure is a bug in Pumice; bytes that come from a disk or from a caller are
 * never asserted, they get a `DBError`.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Pumice invariant broken: ${message}`);
}
