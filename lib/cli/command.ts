import type { Argv } from 'yargs';
import type { Console } from './console.js';
import type { ExitCode } from './exit-code.js';

/** One command of the program, in its own file. */
export interface Command<Arguments> {
  /** yargs syntax, e.g. 'run <file>'. */
  readonly command: string;
  readonly describe: string;
  options(yargs: Argv): Argv<Arguments>;
  run(arguments_: Arguments, console: Console): Promise<ExitCode>;
}

/** Gives a command its types. */
export function defineCommand<Arguments>(command: Command<Arguments>): Command<Arguments> {
  return command;
}

/** One among others: what its arguments are, only the command itself knows. */
export interface AnyCommand {
  readonly command: string;
  readonly describe: string;
  options(yargs: Argv): unknown;
  run(arguments_: never, console: Console): Promise<ExitCode>;
}
