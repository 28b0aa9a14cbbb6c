/** What a LOG says in JSON. */

const MARK = 'EVENT_LOG_v1 ';

/** The records of the `EVENT_LOG_v1` lines, in their order. */
export function eventsOf(lines: readonly string[]): Record<string, unknown>[] {
  return lines
    .filter((line) => line.includes(MARK))
    .map((line) => JSON.parse(line.slice(line.indexOf(MARK) + MARK.length)) as Record<string, unknown>);
}
