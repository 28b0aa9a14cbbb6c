/** How a tool ends early: with a text for people and an exit code, never with a stack trace. */

/** Ends a tool: `message` goes to stderr as it stands, the process ends with `exitCode`. */
export class ToolFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'ToolFailure';
    this.exitCode = exitCode;
  }
}
