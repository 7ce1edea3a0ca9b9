import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import type { AnyCommand } from './command.js';
import { cancelCommand } from './commands/cancel.js';
import { cleanCommand } from './commands/clean.js';
import { compareCommand } from './commands/compare.js';
import { copyCommand } from './commands/copy.js';
import { costsCommand } from './commands/costs.js';
import { doctorCommand } from './commands/doctor.js';
import { evaluateCommand } from './commands/evaluate.js';
import { explainCommand } from './commands/explain.js';
import { failuresCommand } from './commands/failures.js';
import { infoCommand } from './commands/info.js';
import { logsCommand } from './commands/logs.js';
import { planCommand } from './commands/plan.js';
import { replayCommand } from './commands/replay.js';
import { resumeCommand } from './commands/resume.js';
import { retryCommand } from './commands/retry.js';
import { runCommand } from './commands/run.js';
import { schemaCommand } from './commands/schema.js';
import { statusCommand } from './commands/status.js';
import { tasksCommand } from './commands/tasks.js';
import { verifyCommand } from './commands/verify.js';
import type { Console } from './console.js';
import { ExitCode, exitCodeOfError } from './exit-code.js';
import { printError } from './print-error.js';
import { usageText } from './usage-text.js';

const EPILOGUE = `Exit codes:
  0  every block is done; nothing is damaged, or differs
  1  blocks failed or were orphaned; something is damaged, or differs
  2  the command line, the file, the plan or the run folder was refused
  3  interrupted, resumable
  4  the run could not go on, resumable`;

/** In the order of the help. The arguments of each are its own. */
const COMMANDS: readonly AnyCommand[] = [
  runCommand,
  resumeCommand,
  planCommand,
  statusCommand,
  logsCommand,
  costsCommand,
  failuresCommand,
  explainCommand,
  retryCommand,
  replayCommand,
  cancelCommand,
  cleanCommand,
  tasksCommand,
  schemaCommand,
  infoCommand,
  verifyCommand,
  copyCommand,
  evaluateCommand,
  compareCommand,
  doctorCommand,
];

/** A command line that cannot be understood. */
class UsageError extends Error {}

/** Parses a command line strictly and runs its command. */
export async function parseAndRun(argv: readonly string[], console: Console): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.complete;
  let understood = false;
  const add = (parser: Argv, command: AnyCommand) =>
    parser.command(
      command.command,
      command.describe,
      (inner) => command.options(inner) as Argv,
      async (found) => {
        understood = true;
        exitCode = await command.run(found as never, console);
      },
    );
  let parser: Argv = yargs()
    .scriptName('blockwright')
    .usage('$0 <command>\n\nProcesses volumes too large for memory, block by block.')
    .locale('en')
    .version(packageVersion())
    .option('verbose', { type: 'boolean', describe: 'Show the stacks of errors', global: true })
    .alias('help', 'h')
    .strictCommands()
    .strict()
    .demandCommand(1, 'expected a command')
    .recommendCommands()
    .epilogue(EPILOGUE)
    .wrap(100)
    .exitProcess(false)
    .fail((message, error) => {
      throw understood ? error : new UsageError(message ?? error.message);
    });
  for (const one of COMMANDS) parser = add(parser, one);
  try {
    let output = '';
    await parser.parseAsync([...argv], {}, (_error, _found, text) => {
      output = text;
    });
    if (output !== '') console.out(output);
    return exitCode;
  } catch (error) {
    if (error instanceof UsageError) {
      const command = COMMANDS.find((one) => one.command.split(' ')[0] === argv[0]);
      const name = command === undefined ? '' : ` ${argv[0]}`;
      console.error(`blockwright: ${usageText(error.message, argv, command)}\nSee: blockwright${name} --help`);
      return ExitCode.refused;
    }
    printError(error, console, argv.includes('--verbose') || Boolean(process.env.BLOCKWRIGHT_DEBUG));
    return exitCodeOfError(error);
  }
}

function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
