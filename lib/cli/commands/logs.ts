import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RunFolder } from '../../coordinator/run-folder.js';
import { BlockwrightError, codeOf } from '../../errors.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { findRunDirectory } from '../run-directory.js';

export interface LogsArguments {
  readonly run: string;
  readonly task: string | undefined;
  readonly block: number | undefined;
  readonly worker: string | undefined;
}

export const logsCommand = defineCommand<LogsArguments>({
  command: 'logs <run>',
  describe: 'Print logs: of a block, of all blocks of a task, of a worker; of all workers by default',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'The pipeline file or the run directory' })
      .option('task', { type: 'string', describe: 'Of the blocks of this task' })
      .option('block', { type: 'number', describe: 'Only of this block', implies: 'task' })
      .option('worker', { type: 'string', describe: 'Of this worker', conflicts: 'task' }),
  run: async ({ run, task, block, worker }, console) => {
    const folder = new RunFolder(await findRunDirectory(run));
    const files = await logFiles(folder, task, block, worker);
    let empty = 0;
    for (const file of files) {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') throw noLog(file);
        throw error;
      });
      if (files.length > 1 && text !== '') console.out(`==> ${file} <==`);
      if (text !== '') console.out(text.trimEnd());
      else empty++;
    }
    if (empty === files.length)
      console.error(`Nothing was written to ${files.length === 1 ? files[0] : 'these logs'}.`);
    return ExitCode.complete;
  },
});

async function logFiles(
  folder: RunFolder,
  task: string | undefined,
  block: number | undefined,
  worker: string | undefined,
): Promise<string[]> {
  if (worker !== undefined) return [folder.workerLog(worker)];
  if (task !== undefined && block !== undefined) return [folder.blockLog(task, block)];
  const path = dirname(task === undefined ? folder.workerLog('0') : folder.blockLog(task, 0));
  const names = await readdir(path).catch(() => []);
  const logs = names
    .filter((name) => name.endsWith('.log'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (logs.length === 0) throw noLog(join(path, '*.log'));
  return logs.map((name) => join(path, name));
}

function noLog(file: string): BlockwrightError {
  return new BlockwrightError('ERR_CONFIG', `there is no log ${basename(file)} in ${dirname(file)}`);
}
