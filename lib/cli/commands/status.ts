import { type FolderStatistics, readStatistics } from '../../coordinator/run-statistics.js';
import { type RunStatus, readRunStatus } from '../../coordinator/run-status.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { alignColumns, formatCount } from '../format.js';
import { findRunDirectory, noRun } from '../run-directory.js';
import { statisticsText } from '../statistics-text.js';

export interface StatusArguments {
  readonly run: string;
  readonly json: boolean;
  readonly statistics: boolean;
}

export const statusCommand = defineCommand<StatusArguments>({
  command: 'status <run>',
  describe: 'How a run stands, whether it is at work or not',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'The pipeline file or the run directory' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .option('statistics', {
        type: 'boolean',
        default: false,
        describe: 'Also what blocks took: times, reading and writing, memory, the slowest',
      }),
  run: async ({ run, json, statistics }, console) => {
    const runDirectory = await findRunDirectory(run);
    const status = readRunStatus(runDirectory);
    if (status === undefined) throw noRun(runDirectory);
    const known = statistics ? readStatistics(runDirectory) : undefined;
    if (json) console.out(JSON.stringify(statistics ? { ...status, statistics: known } : status, undefined, 2));
    else console.out(formatStatus(runDirectory, status) + (statistics ? formatStatistics(known) : ''));
    return ExitCode.complete;
  },
});

function formatStatistics(known: FolderStatistics | undefined): string {
  return `\n\n${known === undefined ? 'No block has ended yet of which times are known.' : statisticsText(known)}`;
}

const STATES: Readonly<Record<RunStatus['state'], string>> = {
  running: 'running',
  complete: 'complete',
  incomplete: 'ended with blocks that failed or were orphaned',
  interrupted: 'interrupted, resumable',
  failed: 'could not go on',
  killed: 'killed, resumable',
};

function formatStatus(runDirectory: string, status: RunStatus): string {
  const { state, started, ended, error, owner, tasks } = status;
  const lines = [
    `${runDirectory}: ${STATES[state]}`,
    `started ${started}${ended === undefined ? '' : `, ended ${ended}`}`,
  ];
  if (owner !== undefined) lines.push(`coordinator: process ${owner.pid} on ${owner.host}`);
  if (error !== undefined) lines.push(`reason: ${error}`);
  const rows = tasks.map(({ name, total, done, skipped, failed, orphaned }) => {
    const left = total - done - skipped - failed - orphaned;
    const percent = total === 0 ? '100' : ((100 * (done + skipped)) / total).toFixed(1);
    return [name, `${percent} %`, ...[total, done, skipped, failed, orphaned, left].map(formatCount)];
  });
  const head = ['task', 'complete', 'blocks', 'done', 'skipped', 'failed', 'orphaned', 'left'];
  return [...lines, '', ...alignColumns([head, ...rows])].join('\n');
}
