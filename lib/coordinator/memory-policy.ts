import type { Scheduler } from '../scheduler/scheduler.js';
import type { RunEvent } from './events.js';
import type { Journal } from './journal.js';
import type { Lease } from './lease-queue.js';
import type { RunTask } from './run-task.js';
import type { WorkerSession } from './worker-session.js';

export interface MemoryPolicyOptions {
  readonly scheduler: Scheduler;
  readonly tasks: readonly RunTask[];
  readonly journal: Journal;
  onEvent(event: RunEvent): void;
}

/**
 * What follows when memory did not suffice for a block: half as many blocks of its task at once as were at work then, down
 * to one. It stays so for the rest of the run: nothing tells when there would be more memory again.
 */
export class MemoryPolicy {
  /** Handed out before the limit of their task was lowered: that they fail too says nothing about the new one. */
  private readonly excused = new WeakSet<Lease>();

  constructor(private readonly options: MemoryPolicyOptions) {}

  /**
   * A block ran out of memory.
   *
   * @param own its worker
   * @param sessions all workers
   * @returns whether it is the block's own fault: it was the only one of its task
   */
  ranOut(own: WorkerSession, lease: Lease, sessions: Iterable<WorkerSession>): boolean {
    const { scheduler, tasks, journal, onEvent } = this.options;
    const { task } = lease;
    if (this.excused.has(lease)) return false;
    const limit = scheduler.limit(task);
    if (limit === 1) return true;
    let workers = 1;
    for (const session of sessions) {
      let any = false;
      for (const other of session.leases.all()) {
        if (other.task !== task || other === lease) continue;
        this.excused.add(other);
        any = true;
      }
      if (any && session !== own) workers++;
    }
    const most = Math.max(1, Math.floor(Math.min(limit, workers) / 2));
    scheduler.setLimit(task, most);
    const { name } = tasks[task];
    journal.write('task-limited', { task: name, blocks: most, reason: 'out of memory' });
    onEvent({ type: 'task-limited', task: name, blocks: most });
    return false;
  }
}
