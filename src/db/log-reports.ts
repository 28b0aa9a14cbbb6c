/** What LOG holds besides events: the options in force at the open, and reports of the work done, from time to time. */
import type { Timer } from '../env/clock.ts';
import type { ClosableLogger, Logger } from '../env/logger.ts';
import { optionWarnings } from '../options/option-warnings.ts';
import { printOptionsFile } from '../options/options-file.ts';
import { dbStatsText } from './db-stats.ts';
import type { Engine } from './engine.ts';
import { familyStatsText } from './family-stats.ts';
import { makeOptionsFile } from './options-text.ts';

/** Reports of one database; runs until `close`. */
export class LogReports {
  readonly #engine: Engine;
  #timer: Timer | undefined;

  /** Writes the options to LOG, with warnings of unusual ones, and starts the timer of the reports (`statsDumpPeriodSec`). */
  constructor(engine: Engine) {
    this.#engine = engine;
    const { options, logger } = engine.context;
    const families = [...engine.versions.families.values()].sort((a, b) => a.id - b.id);
    const text = new TextDecoder().decode(printOptionsFile(makeOptionsFile(options, families)));
    for (const line of text.split('\n').map((each) => each.trim())) {
      if (line === '' || line.startsWith('#')) continue;
      // A LOG file repeats its head after every roll.
      if (isClosable(logger)) logger.header(`Options: ${line}`);
      else logger.info(`Options: ${line}`);
    }
    if (options.recycleLogFileNum > 0) logger.warn('options.recycleLogFileNum: logs are deleted, never recycled');
    for (const { name, options: own } of families) {
      for (const warning of optionWarnings(own)) logger.warn(`[${name}] ${warning}`);
    }
    this.#schedule();
  }

  /** Writes one report now. */
  report(): void {
    const { context, versions } = this.#engine;
    context.logger.info(`------- DUMPING STATS -------${dbStatsText(this.#engine)}`);
    for (const family of versions.families.values()) {
      if (!family.dropped) context.logger.info(familyStatsText(this.#engine, family));
    }
    if (context.statistics !== undefined) context.logger.info(`STATISTICS:\n${context.statistics.toString()}`);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(): void {
    const { clock, options } = this.#engine.context;
    if (options.statsDumpPeriodSec === 0) return;
    const timer = clock.setTimer(options.statsDumpPeriodSec * 1000, () => {
      this.report();
      // Later, so that a clock which jumps over many periods gets one report and not one for each of them.
      queueMicrotask(() => {
        if (this.#timer === timer) this.#schedule();
      });
    });
    this.#timer = timer;
  }
}

function isClosable(logger: Logger): logger is ClosableLogger {
  return 'header' in logger;
}
