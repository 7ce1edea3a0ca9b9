import type { RunEvent } from '../../lib/coordinator/events.js';
import { toyJobs } from '../slurm/toy-jobs.js';
import { toyChain, toyRun } from './toy-run.js';
import type { ToyTask } from './toy-worker.js';

/** What a coordinator in a process of its own does; the last argument of `toy-coordinator.js RUN OUTPUT JSON`. */
export interface ToyCoordinator {
  /** Of each of the two tasks, in blocks. @default [3, 3, 3] */
  readonly shape?: readonly number[];
  /** Time that a block takes. */
  readonly milliseconds: number;
  readonly act?: ToyTask['act'];
  readonly leaseSeconds?: number;
  /** Environment of SLURM's commands: workers are jobs of that cluster. */
  readonly slurm?: Readonly<Record<string, string>>;
  /** It kills itself when so many blocks are done, and some time has passed. */
  readonly killed?: { readonly blocks: number; readonly milliseconds: number } | undefined;
}

const [run, output, json] = process.argv.slice(2);
const { shape = [3, 3, 3], milliseconds, act, leaseSeconds = 60, slurm, killed } = JSON.parse(json) as ToyCoordinator;
const abort = new AbortController();
process.on('SIGINT', () => abort.abort());
let done = 0;
const killInTime = () => {
  if (done === killed?.blocks) setTimeout(() => process.kill(process.pid, 'SIGKILL'), killed.milliseconds);
};
const onEvent = (event: RunEvent) => {
  if (event.type !== 'block-done') return;
  done++;
  killInTime();
};
killInTime();
try {
  const toys = toyChain(shape, milliseconds).map((toy) => ({ ...toy, ...(act === undefined ? {} : { act }) }));
  const options = { workers: 3, maxLosses: 100, signal: abort.signal, leaseSeconds, onEvent };
  const executor = slurm === undefined ? {} : { executor: toyJobs(slurm) };
  console.log(JSON.stringify(await toyRun({ run, output }, toys, { ...options, ...executor })));
} catch (error) {
  console.log(JSON.stringify(error), String(error));
  process.exitCode = 2;
}
