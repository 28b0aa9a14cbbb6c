/**
 * The choice of the next compaction. A picker is a pure function of plain data: what the tree looks like, what runs,
 * what the options say. It owns nothing and changes nothing; the caller marks the plan as running and asks again.
 */
import type { Comparator } from '../format/base/comparator.ts';
import type { Compaction } from './compaction.ts';
import type { CompactionPickerOptions } from './compaction-options.ts';
import { FifoPicker } from './fifo-picker.ts';
import { LevelPicker } from './level-picker.ts';
import type { PickContext } from './pick-context.ts';
import { UniversalPicker } from './universal-picker.ts';

/** Chooses compactions of one style. */
export interface CompactionPicker {
  /** The most urgent compaction that can run beside those that run, or `undefined` when there is none. */
  pick(context: PickContext): Compaction | undefined;
  /** Whether `pick` might find something; cheap, never false when it would. */
  needsCompaction(context: PickContext): boolean;
}

const noPicker: CompactionPicker = { pick: () => undefined, needsCompaction: () => false };

/** The picker of a family's compaction style. */
export function pickerFor(options: CompactionPickerOptions, comparator: Comparator): CompactionPicker {
  switch (options.compactionStyle) {
    case 'level':
      return new LevelPicker(options, comparator);
    case 'universal':
      return new UniversalPicker(options, comparator);
    case 'fifo':
      return new FifoPicker(options, comparator);
    case 'none':
      return noPicker;
  }
}
