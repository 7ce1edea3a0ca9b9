import type { Argv } from 'yargs';
import type { TaskDefinition } from '../workers/task-definition.js';
import type { Console } from './console.js';
import type { ExitCode } from './exit-code.js';

/** What a command may use of the world. */
export interface CommandContext {
  readonly console: Console;
  /** The task types that need no plugin. */
  definitions(): Promise<readonly TaskDefinition[]>;
}

/** One command of the program, in its own file. */
export interface Command<Arguments> {
  /** yargs syntax, e.g. 'run <file>'. */
  readonly command: string;
  readonly describe: string;
  options(yargs: Argv): Argv<Arguments>;
  run(arguments_: Arguments, context: CommandContext): Promise<ExitCode>;
}

/** Gives a command its types. */
export function defineCommand<Arguments>(command: Command<Arguments>): Command<Arguments> {
  return command;
}
