import { type Console, ignoreClosedStreams, processConsole } from './console.js';

/**
 * The program: runs one command and resolves with the exit code.
 *
 * @param argv without the interpreter and the script
 */
export async function main(argv: readonly string[], console: Console = processConsole): Promise<number> {
  ignoreClosedStreams();
  // A worker is started many times and by machines, so it loads neither the command line's parser nor other commands.
  if (argv[0] === 'worker') return (await import('./commands/worker.js')).worker(argv.slice(1), console);
  if (argv[0] === 'visit-node')
    return (await import('./commands/visit-node.js')).visitNodeCommand(argv.slice(1), console);
  return (await import('./parse.js')).parseAndRun(argv, console);
}
