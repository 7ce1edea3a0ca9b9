import { setTimeout as delay } from 'node:timers/promises';
import type { LiveStatus } from '../../coordinator/run-report.js';
import { type FolderStatistics, readStatistics } from '../../coordinator/run-statistics.js';
import type { RunStatus } from '../../coordinator/run-status.js';
import { defineCommand } from '../command.js';
import type { Console } from '../console.js';
import { ExitCode } from '../exit-code.js';
import { alignColumns, formatCount } from '../format.js';
import { type FoundRun, findRun, saySilence } from '../live-run.js';
import { liveStatusText } from '../live-status-text.js';
import { findRunDirectory } from '../run-directory.js';
import { statisticsText } from '../statistics-text.js';

export interface StatusArguments {
  readonly run: string;
  readonly json: boolean;
  readonly follow: boolean;
  readonly statistics: boolean;
}

/** Milliseconds between two looks at a run that is followed. */
const INTERVAL = 2000;

export const statusCommand = defineCommand<StatusArguments>({
  command: 'status <run>',
  describe: 'How a run stands, whether it is at work or not',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'The pipeline file or the run directory' })
      .option('follow', { type: 'boolean', default: false, describe: 'Look again every 2 s until the run has ended' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .option('statistics', {
        type: 'boolean',
        default: false,
        describe: 'Also what blocks took: times, reading and writing, memory, the slowest',
      }),
  run: async ({ run, json, follow, statistics }, console) => {
    const runDirectory = await findRunDirectory(run);
    while (await look(runDirectory, { json, statistics }, console)) {
      if (!follow) break;
      await delay(INTERVAL);
    }
    return ExitCode.complete;
  },
});

/** Tells how a run stands; whether it is at work. */
async function look(
  runDirectory: string,
  { json, statistics }: Pick<StatusArguments, 'json' | 'statistics'>,
  console: Console,
): Promise<boolean> {
  const found = await findRun(runDirectory);
  try {
    const live = await found.client?.status();
    const known = statistics ? readStatistics(runDirectory) : undefined;
    if (json) {
      const told = jsonOf(found, live);
      console.out(JSON.stringify(statistics ? { ...told, statistics: known } : told, undefined, 2));
    } else {
      saySilence(found, console);
      const text = live === undefined ? formatStatus(runDirectory, found.status) : liveStatusText(runDirectory, live);
      console.out(text + (statistics ? formatStatistics(known) : ''));
    }
  } finally {
    found.client?.close();
  }
  return found.status.owner !== undefined;
}

/** What the files say, with the counts of the run's process where it answers, and what it tells beside. */
function jsonOf({ status, silence }: FoundRun, live: LiveStatus | undefined): object {
  if (live === undefined) return { ...status, silence };
  const tasks = status.tasks.map((task) => {
    const counts = live.tasks.find(({ name }) => name === task.name);
    if (counts === undefined) return task;
    const { done, skipped, failed, orphaned } = counts;
    return { ...task, done, skipped, failed, orphaned };
  });
  return { ...status, tasks, live };
}

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
  const partial = tasks.some(({ unwanted }) => unwanted > 0);
  const rows = tasks.map(({ name, total, done, skipped, failed, orphaned, unwanted }) => {
    const left = total - done - skipped - failed - orphaned - unwanted;
    const percent = total === 0 ? '100' : ((100 * (done + skipped)) / total).toFixed(1);
    return [
      name,
      `${percent} %`,
      ...[total, done, skipped, failed, orphaned, left, ...(partial ? [unwanted] : [])].map(formatCount),
    ];
  });
  const head = [
    'task',
    'complete',
    'blocks',
    'done',
    'skipped',
    'failed',
    'orphaned',
    'left',
    ...(partial ? ['not asked for'] : []),
  ];
  return [...lines, '', ...alignColumns([head, ...rows])].join('\n');
}
