import { hostname } from 'node:os';
import type { Connection, Message } from '../coordinator/connection.js';
import { type BlockResult, describeThrown, type LeasedBlock, type WorkMessage } from '../coordinator/messages.js';
import type { RunFolder } from '../coordinator/run-folder.js';
import { BlockwrightError } from '../errors.js';
import { type AttemptPlace, BlockAbort, BlockAttempt, type WorkerBlockContext } from './block-attempt.js';
import { BlockMeter } from './block-meter.js';
import type { Heartbeat } from './heartbeat.js';
import { ServiceCalls } from './service-calls.js';

/** Runs one block of a task; resolves when its outputs are on disk. 'skipped': there was nothing to do. */
export type ProcessBlock = (block: number, context: WorkerBlockContext) => Promise<'skipped' | unknown>;

export interface BlockRunnerOptions {
  readonly connection: Connection;
  readonly heartbeat: Pick<Heartbeat, 'show' | 'named'>;
  readonly folder: RunFolder;
  readonly workerId: string;
  readonly epoch: number;
  /** As the coordinator counts them. */
  readonly taskNames: readonly string[];
  readonly tasks: ReadonlyMap<string, ProcessBlock>;
  /** Seconds below which a block is over before what is asked for with its beginning could come. @default 0.0001 */
  readonly briefSeconds?: number;
}

/** Milliseconds after which results are sent though there are blocks left. */
const REPORT_AFTER = 50;
/** Seconds of a task's blocks from which on they are measured in detail: the measuring shall not cost more than a few percent. */
const DETAILED_FROM = 0.0005;
const BRIEF = 0.0001;
/** Leases of one brief block that are held or on their way. */
const BRIEF_LEASES = 2;
/** Milliseconds after which messages are heard though blocks follow each other without waiting for anything. */
const LISTEN_AFTER = 10;

/** Asks for blocks, the next ones while there are some left, runs them one after the other, and reports. */
export class BlockRunner {
  private queue: LeasedBlock[] = [];
  /** How many blocks came last. */
  private newest = 0;
  /** The newest lease that came. */
  private latestLease = 0;
  /** How many leases it has asked for that have not come. */
  private asked = 0;
  /** A result must be sent before the next block begins. */
  private owing = false;
  /** The lease that was last said to be begun. */
  private named = 0;
  private listened = performance.now();
  private readonly calls: ServiceCalls;
  private readonly place: AttemptPlace;
  /** Where it is, as the cluster calls it, so that it can be told to avoid it. */
  private introduction: { readonly host: string } | undefined = { host: process.env.SLURMD_NODENAME ?? hostname() };
  private results: BlockResult[] = [];
  private reported = performance.now();
  private stopping = false;
  private draining = false;
  private deadline: NodeJS.Timeout | undefined;
  private late: NodeJS.Timeout | undefined;
  private abort: BlockAbort | undefined;
  /** How long the last block of each task took, seconds. */
  private readonly latest: number[] = [];
  private wake: () => void = () => undefined;

  constructor(private readonly options: BlockRunnerOptions) {
    this.calls = new ServiceCalls(options.connection);
    this.place = { ...options, calls: this.calls };
  }

  /** Resolves when the coordinator wants no more. */
  async run(): Promise<void> {
    this.options.connection.receive((message, payload) => this.hear(message, payload));
    while (!this.stopping) {
      const leased = this.queue.shift();
      if (leased === undefined) {
        // what it asked for may have been given back between two blocks
        if (this.asked === 0) this.report({ acquire: true });
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        continue;
      }
      this.begin(leased);
      // not pushed in one expression: a report made while the block runs takes the list away and begins another
      const result = await this.process(leased);
      this.results.push(result);
      this.ended(leased);
      if (performance.now() - this.listened > LISTEN_AFTER) await this.listen();
    }
    clearTimeout(this.deadline);
  }

  /** This worker's time is over: no more blocks; the one at work is given back if it does not end within `milliseconds`. */
  drain(milliseconds: number): void {
    if (!this.draining) this.options.connection.send({ type: 'drain' });
    this.draining = true;
    this.stop();
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.cancel(), milliseconds);
    this.wake();
  }

  /** Says what is to be said before a block's code runs. */
  private begin({ lease, task, attempt }: LeasedBlock): void {
    const acquire = this.asked === 0 && this.queue.length < this.newest;
    // it may have been what ended an earlier worker: then it shall be seen to be the one
    const suspect = attempt > 1;
    const name = suspect || (this.newest === 1 && !this.isBrief(task));
    if (acquire || name || this.owing) this.report({ acquire, ...(name ? { begun: lease } : {}) }, 1);
    this.options.heartbeat.show(lease);
  }

  /** Whether a task's blocks are leased alone and over sooner than a message comes. */
  private isBrief(task: number): boolean {
    const { briefSeconds = BRIEF } = this.options;
    return this.newest === 1 && (this.latest[task] ?? Number.POSITIVE_INFINITY) < briefSeconds;
  }

  private ended({ lease, task }: LeasedBlock): void {
    this.options.heartbeat.show(0);
    // what was said to be at work must be known to have ended before another begins
    this.owing = lease === this.named || this.options.heartbeat.named(lease);
    const coming = this.queue.length + this.asked;
    // what it asked for ahead may have been given back since
    if (!this.stopping && coming < (this.isBrief(task) ? BRIEF_LEASES : 1)) this.report({ acquire: true });
    else if (this.queue.length === 0 || performance.now() - this.reported > REPORT_AFTER) this.report();
    // one for all that gather: what is finished shall not wait for a long block
    else if (!this.owing) this.late ??= setTimeout(() => this.report(), REPORT_AFTER);
  }

  /** Lets messages in. */
  private async listen(): Promise<void> {
    await new Promise(setImmediate);
    this.listened = performance.now();
  }

  private hear(message: Message, payload: Uint8Array): void {
    if (message.type === 'lease') this.take(message.blocks as LeasedBlock[]);
    else if (message.type === 'return') this.giveBack(Number(message.count));
    else if (message.type === 'stop') this.stop();
    else if (message.type === 'cancel') this.cancel();
    else this.calls.hear(message, payload);
    this.wake();
  }

  private take(blocks: LeasedBlock[]): void {
    this.asked--;
    this.newest = blocks.length;
    this.latestLease = blocks[blocks.length - 1].lease;
    this.queue = this.queue.concat(blocks);
    if (this.stopping) this.giveBack(this.queue.length);
  }

  /** Gives back blocks that are not begun, as many as there are up to a number. */
  private giveBack(count: number): void {
    const returned = this.queue.splice(Math.max(0, this.queue.length - count)).map(({ lease }) => lease);
    this.report({ returned: returned.reverse() });
  }

  private stop(): void {
    this.stopping = true;
    if (this.queue.length > 0) this.giveBack(this.queue.length);
  }

  private cancel(): void {
    this.stop();
    this.abort?.abort(new BlockwrightError('ERR_CANCELLED', 'the run was interrupted'));
  }

  /** @param atWork how many leases it holds beside those that wait */
  private report(more: Partial<Omit<WorkMessage, 'type' | 'results'>> = {}, atWork = 0): void {
    const { results } = this;
    this.reported = performance.now();
    this.owing = false;
    clearTimeout(this.late);
    this.late = undefined;
    this.results = [];
    this.named = more.begun ?? this.named;
    const wish =
      more.acquire === true
        ? { held: this.queue.length + atWork, ...(this.asked > 0 ? { newest: this.latestLease } : {}) }
        : {};
    if (more.acquire === true) this.asked++;
    // once: it stays there
    const { introduction } = this;
    this.introduction = undefined;
    this.options.connection.send({ type: 'work', results, acquire: false, ...wish, ...introduction, ...more });
  }

  private async process(leased: LeasedBlock): Promise<BlockResult> {
    const { lease, block } = leased;
    const abort = new BlockAbort();
    this.abort = abort;
    const began = performance.now();
    const meter = new BlockMeter((this.latest[leased.task] ?? DETAILED_FROM) >= DETAILED_FROM);
    const took = () => {
      const seconds = Math.round((performance.now() - began) * 1000) / 1e6;
      this.latest[leased.task] = seconds;
      const cost = meter.end();
      return cost === undefined ? { seconds } : { seconds, cost };
    };
    try {
      const task = this.options.taskNames[leased.task];
      const run = this.options.tasks.get(task);
      if (run === undefined) throw new BlockwrightError('ERR_CONFIG', `this worker knows no task ${task}`);
      const attempt = new BlockAttempt(this.place, leased, task, meter, abort);
      const outcome = await run(block, attempt);
      await attempt.settled();
      return { lease, outcome: outcome === 'skipped' ? 'skipped' : 'done', ...took() };
    } catch (error) {
      if (abort.aborted && this.draining) return { lease, outcome: 'given-back' };
      const thrown = describeThrown(error);
      // however it puts it, it stopped because it was told to
      const code = abort.aborted ? { code: 'ERR_CANCELLED' } : {};
      return { lease, outcome: 'error', ...took(), error: { ...thrown, ...code } };
    } finally {
      this.abort = undefined;
    }
  }
}
