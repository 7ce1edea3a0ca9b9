import { BlockwrightError } from '../errors.js';
import { Roi } from '../geometry/roi.js';
import { BlockState } from '../scheduler/scheduler.js';
import type { Connection } from './connection.js';
import { ControlDesk } from './control-desk.js';
import type { ControlRequest, RetryRequest } from './control-messages.js';
import type { Coordinator } from './coordinator.js';
import type { RunEvent } from './events.js';
import { ScheduleReporter } from './explain-schedule.js';
import { RunReporter } from './run-report.js';
import type { RunTask } from './run-task.js';

/** What people can ask and want of a run at work, from another terminal. */
export class RunControl {
  private readonly desk = new ControlDesk((request) => this.answer(request));
  private readonly reporter: RunReporter;
  private readonly schedule: ScheduleReporter;

  constructor(
    private readonly coordinator: Coordinator,
    private readonly tasks: readonly RunTask[],
    epoch: number,
    /** Says that somebody wants the run to stop. */
    private readonly onStop: (now: boolean) => void,
  ) {
    this.reporter = new RunReporter(coordinator, tasks, epoch);
    this.schedule = new ScheduleReporter(coordinator.scheduler, tasks, () => this.reporter.allWorkers());
  }

  admit(connection: Connection): void {
    this.desk.admit(connection);
  }

  apply(event: RunEvent): void {
    this.reporter.apply(event);
  }

  close(): void {
    this.reporter.close();
  }

  private answer(request: ControlRequest): unknown {
    switch (request.type) {
      case 'status':
        return this.reporter.status();
      case 'explain-run':
        return this.schedule.explainRun(this.reporter.status());
      case 'explain-block': {
        const task = this.find(request.task);
        checkBlock(task, request.block);
        return this.schedule.explainBlock(task.index, request.block);
      }
      case 'stop':
      case 'abandon': {
        const { stopping } = this.coordinator;
        const now = request.type === 'abandon';
        // the answer goes out first
        if (!stopping || now) setImmediate(() => this.onStop(now));
        return { stopping };
      }
      case 'retry':
        return this.retry(request);
    }
  }

  private retry({ task, block, roi }: RetryRequest): { failed: number; orphaned: number } {
    if (this.coordinator.stopping) throw refusal('the run is stopping: try again with its next run');
    if (block !== undefined && task === undefined) throw refusal('block: expected a task with it');
    if (block !== undefined && roi !== undefined) throw refusal('expected a block or a Roi, found both');
    const chosen = task === undefined ? this.tasks : [this.find(task)];
    if (block !== undefined) checkBlock(chosen[0], block);
    const box = roi === undefined ? undefined : new Roi(roi.offset, roi.shape);
    const sum = { failed: 0, orphaned: 0 };
    const wanted = chosen.map((one) => ({ one, blocks: this.failedBlocks(one, block, box) }));
    for (const { one, blocks } of wanted) {
      if (blocks.length === 0) continue;
      const { failed, orphaned } = this.coordinator.ledger.revive(one.index, blocks);
      sum.failed += failed;
      sum.orphaned += orphaned;
    }
    this.coordinator.distribute();
    return sum;
  }

  private failedBlocks({ index, plan, name }: RunTask, block: number | undefined, roi: Roi | undefined): number[] {
    const { scheduler } = this.coordinator;
    if (block !== undefined) {
      const state = scheduler.state(index, block);
      if (state === BlockState.failed) return [block];
      const found = Object.keys(BlockState)[state];
      throw refusal(`block ${block} of ${name}: expected one that failed, found it ${found}`);
    }
    if (roi !== undefined && roi.dimensions !== plan.dimensions) {
      throw refusal(`roi: expected ${plan.dimensions} dimensions as task ${name} has, found ${roi.dimensions}`);
    }
    const failed = scheduler.failedBlocks(index);
    return roi === undefined ? failed : failed.filter((one) => plan.block(one).writeRoi.overlaps(roi));
  }

  private find(name: string): RunTask {
    const found = this.tasks.find((task) => task.name === name);
    if (found !== undefined) return found;
    throw refusal(`task: expected one of ${this.tasks.map((task) => task.name).join(', ')}, found ${name}`);
  }
}

function checkBlock({ name, plan }: RunTask, block: number): void {
  if (block < plan.count) return;
  throw refusal(
    `block: expected a whole number from 0 to ${plan.count - 1}, as ${name} has ${plan.count} blocks, found ${block}`,
  );
}

function refusal(message: string): BlockwrightError {
  return new BlockwrightError('ERR_CONFIG', message);
}
