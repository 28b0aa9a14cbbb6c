/** Opens what a power cut may have left and holds it to what was promised before the cut. */

import type { FileOperation } from '../../src/env/file-operation.ts';
import { DB, DBError, Env, type Options } from '../../src/index.ts';
import { type OptionSet, openOptions } from '../model/option-sets.ts';
import { utf8 } from '../support/bytes.ts';
import type { Random } from '../support/random.ts';
import { fingerprintOf, Violation } from './history.ts';
import { expectNoLeftovers } from './leftover-files.ts';
import { DIRECTORY, type Image, isChange, losesInTheMiddle } from './power-cut-run.ts';

/** Counts of what the checks met. */
export class CheckTotals {
  images = 0;
  /** Images of a cut during the recovery from another one. */
  secondOrder = 0;
  /**
   * Unsynced log bytes that survived behind unsynced ones that did not: the default refuses to guess and names the log,
   * `recoverToPoint` opens to the point.
   */
  refusedGaps = 0;
  /** Images on which a further synced write, cut and reopen was tried. */
  continued = 0;
}

const MARKER = utf8('\x02written after the cut');
/** Recovery makes some tens of changes; a second cut falls on one of the first of them. */
const SECOND_CUT_MAX = 40;

/** Checks one image. Throws `Violation`. */
export async function checkImage(
  image: Image,
  optionSet: OptionSet,
  extra: Options,
  random: Random,
  totals: CheckTotals,
): Promise<void> {
  totals.images++;
  const second = random.oneIn(10) ? watchForSecondCut(image, random) : undefined;
  const found = await openAndMatch(image, optionSet, extra, random, totals);
  image.fileSystem.hooks = {};
  if (second?.image !== undefined) {
    totals.secondOrder++;
    totals.images++;
    await openAndMatch(second.image, optionSet, extra, random, totals);
  }
  if (random.oneIn(20)) {
    await openAgain(image, found, optionSet, extra);
  }
}

async function openAndMatch(
  image: Image,
  optionSet: OptionSet,
  extra: Options,
  random: Random,
  totals: CheckTotals,
): Promise<number> {
  const env = new Env({ fileSystem: image.fileSystem });
  const db = await openImage(image, optionSet, { ...extra, env }, totals);
  try {
    const found = image.history.match(
      fingerprintOf(db, optionSet, Object.keys(optionSet.families)),
      image.least,
      image.most,
      describe(image),
    );
    await expectNoLeftovers(db, () => image.fileSystem.listSync(DIRECTORY), describe(image));
    if (random.oneIn(20)) {
      // No second cut from here on: the marker is no write of the history.
      image.fileSystem.hooks = {};
      totals.continued++;
      await continueAfter(image, found, db, optionSet, extra);
    }
    return found;
  } finally {
    await db.close();
    await env.close();
  }
}

async function openImage(image: Image, optionSet: OptionSet, options: Options, totals: CheckTotals): Promise<DB> {
  try {
    return await DB.open(DIRECTORY, openOptions(optionSet, options));
  } catch (error) {
    const inALog = error instanceof DBError && error.code === 'CORRUPTION' && /\d{6}\.log/.test(error.message);
    if (!inALog || !image.mayHaveGaps) {
      throw new Violation(`${describe(image)}: open fails: ${error}`, { cause: error });
    }
  }
  totals.refusedGaps++;
  try {
    return await DB.open(DIRECTORY, openOptions(optionSet, { ...options, walCorruption: 'recoverToPoint' }));
  } catch (error) {
    throw new Violation(`${describe(image)}: open with recoverToPoint fails: ${error}`, { cause: error });
  }
}

/** While the image is opened, takes another image at one of recovery's first changes. */
function watchForSecondCut(image: Image, random: Random): { image?: Image } {
  const result: { image?: Image } = {};
  const at = random.below(SECOND_CUT_MAX);
  let changes = 0;
  image.fileSystem.hooks = {
    before(_index: number, operation: FileOperation) {
      if (isChange(operation) && changes++ === at) {
        const model = random.pick(['synced', 'ordered', 'subset', 'dirs'] as const);
        const fileSystem = image.fileSystem.crashImage(model, random);
        const mayHaveGaps = image.mayHaveGaps || losesInTheMiddle(model);
        result.image = {
          ...image,
          fileSystem,
          model,
          mayHaveGaps,
          place: `${image.place}, again before recovery's change ${at}`,
        };
      }
      return undefined;
    },
  };
  return result;
}

/** A write that is promised after the recovery must survive the next cut, and take nothing with it. */
async function continueAfter(image: Image, found: number, db: DB, optionSet: OptionSet, extra: Options): Promise<void> {
  await db.put(MARKER, utf8('there'), { sync: true });
  const cut = image.fileSystem.crashImage('synced', new NoChance());
  const env = new Env({ fileSystem: cut });
  const again = await DB.open(DIRECTORY, openOptions(optionSet, { ...extra, env }));
  try {
    if (again.getSync(MARKER) === undefined) {
      throw new Violation(`${describe(image)}: a synced write after the recovery is lost at the next cut`);
    }
    again.deleteSync(MARKER);
    const fingerprint = fingerprintOf(again, optionSet, Object.keys(optionSet.families));
    image.history.match(fingerprint, found, found, `${describe(image)}, cut again after a further write`);
  } finally {
    await again.close();
    await env.close();
    await db.delete(MARKER);
  }
}

/** Opening twice must give the same state as opening once. */
async function openAgain(image: Image, found: number, optionSet: OptionSet, extra: Options): Promise<void> {
  const env = new Env({ fileSystem: image.fileSystem });
  const db = await DB.open(DIRECTORY, openOptions(optionSet, { ...extra, env }));
  try {
    const fingerprint = fingerprintOf(db, optionSet, Object.keys(optionSet.families));
    image.history.match(fingerprint, found, found, `${describe(image)}, opened a second time`);
  } finally {
    await db.close();
    await env.close();
  }
}

function describe(image: Image): string {
  return `power cut (${image.model}) ${image.place}`;
}

/** The `synced` model draws nothing. */
class NoChance {
  nextUint32(): number {
    return 0;
  }
  nextFloat(): number {
    return 0;
  }
  below(): number {
    return 0;
  }
  fill(target: Uint8Array): void {
    target.fill(0);
  }
}
