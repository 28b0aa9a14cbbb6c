/**
 * Bugs on request, to prove that db_stress would see real ones: `PUMICE_STRESS_BUG` names one, and then one in many
 * operations goes wrong between the tool and the database, while the expected state is told that it went well.
 */
import { ToolFailure } from '../lib/tool-failure.ts';

const BUGS = ['lost-write', 'lost-delete', 'torn-batch', 'stale-read'] as const;

/** What can be planted. */
export type BugName = (typeof BUGS)[number];

const ONE_IN = 300;

/** The bug that the environment asks for, or none. */
export class PlantedBug {
  readonly #name: BugName | undefined;
  #chances = 0;

  /** A `ToolFailure` for a bug that does not exist. */
  constructor(name: string | undefined) {
    const found = BUGS.find((bug) => bug === name);
    if (name !== undefined && found === undefined) {
      throw new ToolFailure(`Error: PUMICE_STRESS_BUG=${name} is none of ${BUGS.join(', ')}`);
    }
    this.#name = found;
  }

  /** Whether this operation goes wrong in this way. */
  strikes(name: BugName): boolean {
    return this.#name === name && ++this.#chances % ONE_IN === 0;
  }
}
