import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import type { Command } from './command.js';
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

const EPILOGUE = `Exit codes:
  0  every block is done; nothing is damaged, or differs
  1  blocks failed or were orphaned; something is damaged, or differs
  2  the command line, the file, the plan or the run folder was refused
  3  interrupted, resumable
  4  the run could not go on, resumable`;

/** A command line that cannot be understood. */
class UsageError extends Error {}

/** Parses a command line strictly and runs its command. */
export async function parseAndRun(argv: readonly string[], console: Console): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.complete;
  let understood = false;
  const add = <Arguments>(parser: Argv, command: Command<Arguments>) =>
    parser.command(
      command.command,
      command.describe,
      (inner) => command.options(inner) as Argv,
      async (found) => {
        understood = true;
        exitCode = await command.run(found as Arguments, console);
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
  parser = add(parser, runCommand);
  parser = add(parser, resumeCommand);
  parser = add(parser, planCommand);
  parser = add(parser, statusCommand);
  parser = add(parser, logsCommand);
  parser = add(parser, costsCommand);
  parser = add(parser, failuresCommand);
  parser = add(parser, explainCommand);
  parser = add(parser, retryCommand);
  parser = add(parser, replayCommand);
  parser = add(parser, cancelCommand);
  parser = add(parser, cleanCommand);
  parser = add(parser, tasksCommand);
  parser = add(parser, schemaCommand);
  parser = add(parser, infoCommand);
  parser = add(parser, verifyCommand);
  parser = add(parser, copyCommand);
  parser = add(parser, evaluateCommand);
  parser = add(parser, compareCommand);
  parser = add(parser, doctorCommand);
  try {
    let output = '';
    await parser.parseAsync([...argv], {}, (_error, _found, text) => {
      output = text;
    });
    if (output !== '') console.out(output);
    return exitCode;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`blockwright: ${error.message}\nSee: blockwright --help`);
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
