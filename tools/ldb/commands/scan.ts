/** `scan`: prints the keys of a range with their values. */
import { type LdbCommand, MAX_KEYS_FLAG, RANGE_FLAGS } from '../command.ts';
import type { CommandContext } from '../command-context.ts';
import { timeWindow } from '../time-window.ts';
import { timeOf, timeText, withoutTime } from '../ttl-value.ts';

/** One line a key; `--from` is inclusive, `--to` exclusive. */
export const scanCommand: LdbCommand = {
  name: 'scan',
  usage: 'scan [--from] [--to] [--ttl] [--timestamp] [--max_keys=<N>] [--start_time=<N>] [--end_time=<N>] [--no_value]',
  group: 'data',
  formats: ['hex', 'json', 'ttl'],
  flags: {
    ...RANGE_FLAGS,
    timestamp: { kind: 'boolean' },
    ...MAX_KEYS_FLAG,
    start_time: { kind: 'integer' },
    end_time: { kind: 'integer' },
    no_value: { kind: 'boolean' },
  },
  needsDatabase: true,
  async run(context) {
    const window = timeWindow(context, 'Scanning');
    const bounds = context.bounds();
    const maxKeys = context.flags.number('max_keys') ?? -1;
    await using db = await context.openForRead();
    using iterator = context.family(db).newIterator(bounds);
    let count = 0;
    for (iterator.seekToFirstSync(); iterator.valid; iterator.nextSync()) {
      if (maxKeys >= 0 && count >= maxKeys) break;
      if (context.ttl && !window.contains(iterator.value)) continue;
      printRow(context, iterator.key, iterator.value);
      count++;
      if (context.out.full) await context.out.flush();
    }
    const error = iterator.status();
    if (error !== undefined) throw error;
  },
};

function printRow(context: CommandContext, key: Uint8Array, stored: Uint8Array): void {
  const value = context.ttl ? withoutTime(stored) : stored;
  const noValue = context.flags.boolean('no_value');
  const time = context.ttl && context.flags.boolean('timestamp') ? timeOf(stored) : undefined;
  if (context.json) {
    const row = { key: context.jsonKey(key), ...(noValue ? {} : { value: context.jsonValue(value) }) };
    context.out.line(JSON.stringify(time === undefined ? row : { ...row, time }));
    return;
  }
  if (time !== undefined) context.out.write(`${timeText(time)} `);
  if (noValue) context.out.line(context.shownKey(key));
  else context.out.line(context.shownKey(key), ' : ', context.shownValue(value));
}
