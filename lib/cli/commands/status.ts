import { setTimeout as delay } from 'node:timers/promises';
import type { LiveStatus } from '../../coordinator/run-report.js';
import type { RunStatus } from '../../coordinator/run-status.js';
import { defineCommand } from '../command.js';
import type { Console } from '../console.js';
import { ExitCode } from '../exit-code.js';
import { alignColumns, formatCount } from '../format.js';
import { type FoundRun, findRun, saySilence } from '../live-run.js';
import { liveStatusText } from '../live-status-text.js';
import { findRunDirectory } from '../run-directory.js';

export interface StatusArguments {
  readonly run: string;
  readonly json: boolean;
  readonly follow: boolean;
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
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' }),
  run: async ({ run, json, follow }, console) => {
    const runDirectory = await findRunDirectory(run);
    while (await look(runDirectory, json, console)) {
      if (!follow) break;
      await delay(INTERVAL);
    }
    return ExitCode.complete;
  },
});

/** Tells how a run stands; whether it is at work. */
async function look(runDirectory: string, json: boolean, console: Console): Promise<boolean> {
  const found = await findRun(runDirectory);
  try {
    const live = await found.client?.status();
    if (json) console.out(JSON.stringify(jsonOf(found, live), undefined, 2));
    else if (live !== undefined) console.out(liveStatusText(runDirectory, live));
    else {
      saySilence(found, console);
      console.out(formatStatus(runDirectory, found.status));
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
