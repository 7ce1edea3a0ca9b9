import type { Executor, ExecutorPlace, WorkerHandle, WorkerRequest } from '../coordinator/executor.js';
import type { ListenOptions } from '../coordinator/network-address.js';
import { BlockwrightError, messageOf } from '../errors.js';
import type { BatchSystem } from './batch-system.js';
import { kindOf } from './batch-system.js';
import { JobQueue } from './job-queue.js';
import { JobRecord } from './job-record.js';
import { JobWatcher } from './job-watcher.js';
import { PilotJob } from './pilot-job.js';

export interface BatchExecutorOptions {
  readonly system: BatchSystem;
  /** The program of a worker and its arguments, without `--run-directory DIR --worker-id ID`. */
  readonly command: readonly string[];
  /** The beginning of the jobs' names, for people; what a name cannot have is left out. */
  readonly label: string;
  /** After which a worker without blocks is ended. @default 120 */
  readonly idleSeconds?: number | undefined;
  /** Where the coordinator listens for the workers, which are on other hosts. @default on every address that these could reach */
  readonly listen?: ListenOptions | undefined;
  /** Seconds between questions how the jobs stand. @default 5 */
  readonly pollSeconds?: number | undefined;
  /** Seconds until submitting is tried again, at first; up to a minute later. @default 5 */
  readonly retrySeconds?: number | undefined;
}

/** Workers of an array when the cluster does not say how many it may have. */
const CAUTIOUS = 100;

/**
 * Workers as jobs of a batch system. Workers that are started together are one submission; each is a job that takes blocks
 * until it ends (a pilot), however often it waits for more.
 */
export class BatchExecutor implements Executor {
  readonly name: string;
  readonly startSeconds = Number.POSITIVE_INFINITY;
  readonly idleSeconds: number;
  readonly listens = 'network';
  readonly listen: ListenOptions;
  readonly endSeconds = 15;
  private readonly queue: JobQueue;
  private readonly watcher: JobWatcher;
  private record: JobRecord | undefined;

  constructor(private readonly options: BatchExecutorOptions) {
    const { system, command, label, pollSeconds = 5, retrySeconds = 5 } = options;
    this.name = system.name;
    this.idleSeconds = options.idleSeconds ?? 120;
    this.listen = options.listen ?? {};
    this.watcher = new JobWatcher(system, pollSeconds);
    this.queue = new JobQueue({ system, command, label, retrySeconds, watcher: this.watcher });
  }

  async open(place: ExecutorPlace): Promise<void> {
    const { system } = this.options;
    let most = CAUTIOUS;
    try {
      most = await system.mostAtOnce();
    } catch (error) {
      if (kindOf(error) === 'missing') {
        throw new BlockwrightError(
          'ERR_WORKER_START',
          `executor ${this.name}: ${messageOf(error)}`,
          {},
          { cause: error },
        );
      }
      place.notice(`${this.name} does not say how large an array may be, ${CAUTIOUS} is taken: ${messageOf(error)}`);
    }
    const record = JobRecord.open(place.runDirectory, this.name);
    this.record = record;
    this.queue.open(place, record, most);
    await this.watcher.open(place, record);
  }

  start(request: WorkerRequest): WorkerHandle {
    const job = new PilotJob(this.name, request.workerId, request.logFile, {
      cancel: (one) => {
        if (!this.queue.remove(one)) this.watcher.cancel(one);
      },
      look: () => this.watcher.look(),
    });
    this.queue.add(job);
    return job;
  }

  excludeHosts(hosts: readonly string[]): void {
    this.queue.exclude = hosts;
  }

  async close(): Promise<void> {
    await this.queue.close();
    await this.watcher.close();
    this.record?.close();
    this.record = undefined;
  }
}
