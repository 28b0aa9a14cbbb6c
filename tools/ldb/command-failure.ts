/** How a command of ldb fails. */
import { ToolFailure } from '../lib/tool-failure.ts';

/** A failure as ldb prints it: `Failed: …`, exit code 1. */
export function commandFailure(message: string): ToolFailure {
  return new ToolFailure(`Failed: ${message}`);
}
