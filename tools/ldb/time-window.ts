/** `--start_time` and `--end_time`: which writes of a database with a time to live are shown. */
import { ToolFailure } from '../lib/tool-failure.ts';
import type { CommandContext } from './command-context.ts';
import { TTL_TIME_MAX, TTL_TIME_MIN, timeOf, timeText } from './ttl-value.ts';

/** Tells stored values inside the window from those outside. */
export interface TimeWindow {
  /** Unix seconds: inclusive, exclusive. */
  readonly start: number;
  readonly end: number;
  contains(stored: Uint8Array): boolean;
}

/** The window of the flags. With `--timestamp` it is announced first, `verb` being what is done with the rows. */
export function timeWindow(context: CommandContext, verb: string): TimeWindow {
  const start = context.flags.number('start_time') ?? TTL_TIME_MIN;
  const end = context.flags.number('end_time') ?? TTL_TIME_MAX;
  if (end < start) throw new ToolFailure("Error: End time can't be less than start time");
  if (context.ttl && context.flags.boolean('timestamp') && !context.json) {
    context.out.line(`${verb} key-values from ${timeText(start)} to ${timeText(end)}`);
  }
  const open = end === TTL_TIME_MAX;
  return {
    start,
    end,
    contains: (stored) => {
      const time = timeOf(stored);
      return time >= start && (open || time < end);
    },
  };
}
