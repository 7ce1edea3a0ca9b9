import type { LiveStatus, LiveTask, LiveWorker } from '../coordinator/run-report.js';
import { alignColumns, firstLine, formatCount, formatDuration, formatRate, plural, shorten } from './format.js';
import { noticeOf } from './run-notices.js';

/** Workers that are listed one by one. */
const LISTED = 12;
/** Events that are shown. */
const SHOWN_EVENTS = 8;

/** A run at work, as its own process tells it, for a terminal of 80 columns. */
export function liveStatusText(runDirectory: string, status: LiveStatus): string {
  const { host, pid, seconds, stopping, tasks, workers, events } = status;
  const lines = [
    `${runDirectory}: ${stopping ? 'stopping' : 'running'} for ${formatDuration(seconds)}`,
    `coordinator: process ${pid} on ${host}`,
    '',
    ...taskTable(tasks),
    '',
    workersLine(status),
    ...alignColumns(workers.slice(0, LISTED).map(workerRow), [0, 1, 2, 3]).map((line) => `  ${line}`),
  ];
  const more = workers.length + status.workersUnlisted - Math.min(workers.length, LISTED);
  if (more > 0) lines.push(`  and ${plural(more, 'more worker')}`);
  const notices = events.flatMap(({ secondsAgo, event }) => {
    const notice = noticeOf(event);
    return notice === undefined ? [] : [[`${formatDuration(secondsAgo)} ago`, shorten(notice, 200)]];
  });
  if (notices.length > 0) lines.push('', 'lately:');
  lines.push(...alignColumns(notices.slice(-SHOWN_EVENTS), [1]).map((line) => `  ${line}`));
  return lines.join('\n');
}

function taskTable(tasks: readonly LiveTask[]): string[] {
  const seldom = (['skipped', 'failed', 'orphaned', 'retried'] as const).filter((name) =>
    tasks.some((task) => task[name] > 0),
  );
  const rows = tasks.map((task) => [
    firstLine(task.name),
    percentOf(task),
    ...[task.total, task.done, task.running, task.ready, task.waiting].map(formatCount),
    ...seldom.map((name) => formatCount(task[name])),
    task.rate === undefined ? '-' : formatRate(task.rate),
    task.secondsLeft === undefined ? '-' : formatDuration(task.secondsLeft),
  ]);
  const head = ['task', '%', 'blocks', 'done', 'running', 'ready', 'waiting', ...seldom, 'rate', 'left'];
  return alignColumns([head, ...rows]);
}

function percentOf({ total, done, skipped }: LiveTask): string {
  return total === 0 ? '100' : ((100 * (done + skipped)) / total).toFixed(1);
}

/** '3 workers: 1 working, 2 idle (no other block can start before one that runs ends)' */
export function workersLine({ workers, workersUnlisted, idleReason, pauses, queued, stopping }: LiveStatus): string {
  const counts = new Map<LiveWorker['state'], number>();
  for (const { state } of workers) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${formatCount(count)} ${state}`);
  const idle = idleText(idleReason);
  if ((counts.get('idle') ?? 0) > 0 && !stopping && idle !== undefined) parts.push(idle);
  if (queued !== undefined) parts.push(`${formatCount(queued.workers)} in the queue (${firstLine(queued.reason)})`);
  if (pauses.length > 0) parts.push(`${plural(pauses.length, 'place')} paused before another start`);
  return `${plural(workers.length + workersUnlisted, 'worker')}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

/** Why workers wait for blocks, in words. */
function idleText(reason: string | undefined): string | undefined {
  const resource = /^resource (.+)$/.exec(reason ?? '')?.[1];
  const limited = /^limit of task (.+)$/.exec(reason ?? '')?.[1];
  if (limited !== undefined) return `no more blocks of ${limited} may run at once`;
  if (resource !== undefined) return `all of resource ${resource} in use`;
  return reason === 'dependencies' ? 'no other block can start before one that runs ends' : undefined;
}

function workerRow({ id, state, seconds, task, block, attempt, leases, description, host }: LiveWorker): string[] {
  const again = attempt !== undefined && attempt > 1 ? `, attempt ${attempt}` : '';
  const more = leases > 1 ? ` and ${formatCount(leases - 1)} more` : '';
  const work = task === undefined ? '' : `block ${block} of ${firstLine(task, 40)}${again}${more}`;
  return [
    id,
    seconds === undefined ? state : `${state} ${formatDuration(seconds)}`,
    work,
    placeOf({ description, host }),
  ];
}

/** 'process 12 on host' */
export function placeOf({ description, host }: Pick<LiveWorker, 'description' | 'host'>): string {
  const where = host === undefined || description.includes(host) ? '' : ` on ${host}`;
  return `${firstLine(description, 60)}${where}`;
}
