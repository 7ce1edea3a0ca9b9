import type { RunEvent } from '../coordinator/events.js';
import { firstLine, formatCount, plural } from './format.js';

const MOST = 10;

/** What is worth a line of its own, or undefined. */
export function noticeOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'block-failed':
    case 'block-lost': {
      const what = event.type === 'block-failed' ? 'failed' : 'lost its worker';
      const then = event.willRetry ? 'will be retried' : 'gave up';
      const why = firstLine(event.type === 'block-failed' ? event.message : event.reason);
      return `${event.task} block ${event.block} ${what} (attempt ${event.attempt}, ${then}): ${why}`;
    }
    case 'reading-record':
      return `${event.task}: ${formatCount(event.blocks)} of ${plural(event.total, 'block')} of earlier runs read`;
    case 'blocks-revived':
      return `${event.task}: ${plural(event.failed, 'failed block')} tried again, ${formatCount(event.orphaned)} orphaned wait again`;
    case 'stop-asked':
      return event.now
        ? 'Stopping at once, as asked from elsewhere: blocks that run are given up.'
        : 'Stopping, as asked from elsewhere: blocks that run may end, no others begin.';
    case 'executor-notice':
      return event.message;
    case 'paused':
      return `paused, no blocks are begun: too little disk space: ${event.reason}`;
    case 'resumed':
      return 'going on: there is disk space again';
    case 'host-excluded':
      return `host ${event.host} is avoided: it failed ${plural(event.blocks, 'block')} while others got on`;
    case 'task-limited':
      return `${event.task} ran out of memory: no more than ${plural(event.blocks, 'block')} at once from now on`;
    case 'worker-end':
      return event.expected ? undefined : `worker ${event.worker} ended: ${firstLine(event.reason)}`;
    case 'run-notice':
      return event.message;
    default:
      return undefined;
  }
}

/** Lines about what went wrong, at most ten between two draws: a run that fails everywhere must stay readable. */
export class RunNotices {
  private said = 0;
  private unsaid = 0;

  /** The line to show for an event, if any. */
  apply(event: RunEvent): string | undefined {
    const notice = noticeOf(event);
    if (notice === undefined) return undefined;
    if (this.said < MOST) {
      this.said++;
      return notice;
    }
    this.unsaid++;
    return undefined;
  }

  /** Begins a new draw; how many lines were held back since the last, if any. */
  draw(): string | undefined {
    const text = this.unsaid === 0 ? undefined : `and ${plural(this.unsaid, 'more notice')} of this kind`;
    this.said = 0;
    this.unsaid = 0;
    return text;
  }
}
