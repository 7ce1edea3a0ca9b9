import { visitNode } from '../../site/visit-node.js';
import type { Console } from '../console.js';
import { ExitCode, exitCodeOfError } from '../exit-code.js';
import { printError } from '../print-error.js';

/** What a job of `doctor --cluster` does on its node: `visit-node FOLDER NAME`. No command for people. */
export async function visitNodeCommand(argv: readonly string[], console: Console): Promise<ExitCode> {
  const [folder, name] = argv;
  if (folder === undefined || name === undefined) {
    console.error('blockwright: expected visit-node FOLDER NAME; `blockwright doctor --cluster` starts it');
    return ExitCode.refused;
  }
  try {
    await visitNode(folder, name);
    return ExitCode.complete;
  } catch (error) {
    printError(error, console, true);
    return exitCodeOfError(error);
  }
}
