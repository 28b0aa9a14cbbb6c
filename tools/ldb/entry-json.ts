/** An entry with its internal key as JSON. */
import { sequenceOf, typeOf, userKeyOf } from '../../format/base/internal-key.ts';
import type { CommandContext } from './command-context.ts';

/** One object: key, sequence, type as in files, value. Both arguments are borrowed. */
export function entryJson(context: CommandContext, internalKey: Uint8Array, value: Uint8Array): string {
  return JSON.stringify({
    key: context.jsonKey(userKeyOf(internalKey)),
    sequence: sequenceOf(internalKey),
    type: typeOf(internalKey),
    value: context.jsonValue(value),
  });
}
