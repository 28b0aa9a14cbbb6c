/** The database and the expected state disagree. */

/** What was found, in one line. */
export class VerificationFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'VerificationFailure';
  }
}
