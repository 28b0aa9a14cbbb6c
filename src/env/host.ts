/** What the machine says of itself. */
import os from 'node:os';

/** Its name, for table properties; empty where it has none. */
export function hostName(): string {
  return os.hostname();
}

/** Cores that this process may use. */
export function coreCount(): number {
  return os.availableParallelism();
}

/** A variable of the process's environment, `undefined` when it is not set. */
export function environmentVariable(name: string): string | undefined {
  return process.env[name];
}

/** Gives a warning of the process (`process.on('warning')`, by default on stderr). `detail` stands below the message. */
export function warnProcess(message: string, code: string, detail: string): void {
  process.emitWarning(message, { type: 'PumiceWarning', code, detail });
}
