import type { BlockName, BlockReport, LiveWaiting, RunReport } from '../coordinator/explain-schedule.js';
import type { LiveStatus } from '../coordinator/run-report.js';
import { firstLine, formatCount, formatDuration, plural } from './format.js';
import { placeOf, workersLine } from './live-status-text.js';
import { noticeOf } from './run-notices.js';

/** How attempts at a block ended, oldest first. */
export interface AttemptEnd {
  readonly attempt: number;
  readonly outcome: 'failed' | 'lost';
  /** First line of what was said. */
  readonly reason: string;
}

/** Blocks of a chain that are shown at its ends, where it is longer. */
export const SHOWN_LINKS = 8;

/**
 * A block and what it waits for, one after the other, down to the cause.
 *
 * @param attemptsOf how the earlier attempts at a block ended
 */
export function chainText(
  chain: readonly BlockReport[],
  status: LiveStatus,
  attemptsOf: (block: BlockReport) => readonly AttemptEnd[],
): string {
  const hidden = chain.length - 2 * SHOWN_LINKS;
  const lines = chain.flatMap((report, i) => {
    if (hidden > 0 && i >= SHOWN_LINKS && i < SHOWN_LINKS + hidden) {
      return i === SHOWN_LINKS ? [`... ${plural(hidden, 'block')} in between ...`] : [];
    }
    return blockLines(report, status, attemptsOf(report));
  });
  return lines.join('\n');
}

function blockLines(report: BlockReport, status: LiveStatus, ends: readonly AttemptEnd[]): string[] {
  const { task, block, state, attempts, waitsFor, held } = report;
  const lines = [`block ${block} of ${firstLine(task)}: ${state}${detailOf(report)}`];
  for (const { attempt, outcome, reason } of ends) {
    const what = outcome === 'lost' ? 'lost its worker' : 'failed';
    lines.push(`  attempt ${attempt} ${what}: ${reason}`);
  }
  if (state === 'failed') {
    lines.push(`  It failed for good after ${plural(attempts, 'attempt')}. Try again with: blockwright retry`);
  }
  for (const waiting of waitsFor) lines.push(`  ${waitingText(waiting, task)}`);
  if (held.length > 0) {
    lines.push(`  it was revived while blocks behind it ran, and waits for their ends: ${held.slice(0, 8).join(', ')}`);
  }
  if (state === 'ready') lines.push(`  ${readyText(report, status)}`);
  return lines;
}

function detailOf({ state, worker, seconds, attempts, held, behind }: BlockReport): string {
  if (state !== 'running') return held.length > 0 ? ', revived' : '';
  if (worker === undefined) return ', its result has come and is being recorded';
  const time = seconds === undefined ? '' : ` for ${formatDuration(seconds)}`;
  const again = attempts > 1 ? `, attempt ${attempts}` : '';
  return `${again}${behind === true ? ', next' : ''} on worker ${worker.id} (${placeOf(worker)})${time}`;
}

function readyText({ resource, limit, ready = 1, task }: BlockReport, status: LiveStatus): string {
  if (status.stopping) return 'It could run, but the run is stopping: no other block begins.';
  if (resource !== undefined) return `It could run, but ${resourceText(resource.name, resource.holders, status)}.`;
  if (limit !== undefined)
    return `It could run, but no more than ${plural(limit, 'block')} of ${firstLine(task)} may at once.`;
  const others = ready > 1 ? `, as ${plural(ready - 1, 'other block')} of ${firstLine(task)} do` : '';
  return `It waits for a worker that is free${others}. ${workersLine(status)}.`;
}

function resourceText(name: string, holders: readonly BlockName[], { resources }: LiveStatus): string {
  const use = resources.find((one) => one.name === name);
  const by = holders.map(({ task, block }) => `block ${block} of ${firstLine(task)}`).join(', ');
  const amount = use === undefined ? '' : ` (${use.used} of ${use.capacity})`;
  return `resource ${name} is in use${amount}${by === '' ? '' : `, by ${by}`}`;
}

function waitingText({ task, needed, missing, first }: LiveWaiting, own: string): string {
  const named = first.map(({ block, state }) => `${block} (${state})`);
  const more = missing > named.length ? ` and ${formatCount(missing - named.length)} more` : '';
  const which = task === own ? 'neighbours that it conflicts with' : `blocks of ${firstLine(task)} that it needs`;
  return `${formatCount(missing)} of the ${formatCount(needed)} ${which} not done: ${named.join(', ')}${more}`;
}

/**
 * Why a run at work is idle, or slower than it could be.
 *
 * @param logOf the last lines of a worker's output
 */
export function runReportText(
  runDirectory: string,
  { status, chains, lacking }: RunReport,
  logOf: (worker: string) => readonly string[],
): string {
  const { stopping, tasks, workers, queued, pauses } = status;
  const lines = [`${runDirectory}: ${stopping ? 'stopping' : 'running'}, ${workersLine(status)}`];
  if (stopping) lines.push('The run was asked to stop: no other block begins.');
  if (queued !== undefined) lines.push(`In the queue of the cluster: ${firstLine(queued.reason)}.`);
  const starting = workers.filter(({ state }) => state === 'starting');
  if (starting.length > 0) {
    const longest = Math.max(...starting.map(({ seconds = 0 }) => seconds));
    lines.push(
      `${plural(starting.length, 'worker')} started and did not ask for a block yet, for up to ${formatDuration(longest)}.`,
    );
  }
  if (pauses.length > 0) lines.push(...pauseLines(status, logOf));
  const ready = tasks.reduce((sum, task) => sum + task.ready, 0);
  const free = workers.some(({ state }) => state === 'idle');
  if (ready > 0 && lacking.length === 0 && !free && !stopping) {
    lines.push(`${plural(ready, 'block')} could run and ${ready === 1 ? 'waits' : 'wait'} for a worker that is free.`);
  }
  for (const { task, name, holders } of lacking) {
    lines.push(`Blocks of ${firstLine(task)} could run, but ${resourceText(name, holders, status)}.`);
  }
  for (const chain of chains) {
    const [first] = chain;
    const { waiting = 0 } = tasks.find(({ name }) => name === first.task) ?? {};
    lines.push(
      `${plural(waiting, 'block')} of ${firstLine(first.task)} ${waiting === 1 ? 'waits' : 'wait'}; of these the first:`,
    );
    lines.push(
      ...chainText(chain, status, () => [])
        .split('\n')
        .map((line) => `  ${line}`),
    );
  }
  if (lines.length === 1) lines.push('Nothing holds it up.');
  return lines.join('\n');
}

function pauseLines({ pauses, events }: LiveStatus, logOf: (worker: string) => readonly string[]): string[] {
  const next = Math.min(...pauses.map(({ seconds }) => seconds));
  const lines = [
    `${plural(pauses.length, 'place')} of workers paused, as the last ones ended without a result; the next start in ${formatDuration(next)}.`,
  ];
  const last = events.map(({ event }) => event).findLast((event) => event.type === 'worker-end');
  if (last?.type !== 'worker-end') return lines;
  lines.push(`  the last: ${noticeOf(last)}`, ...logOf(last.worker).map((line) => `    ${line}`));
  return lines;
}
