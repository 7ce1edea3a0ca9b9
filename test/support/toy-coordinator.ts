import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunEvent } from '../../lib/coordinator/events.js';
import type { Service } from '../../lib/coordinator/service-desk.js';
import { toyJobs } from '../slurm/toy-jobs.js';
import { NetworkExecutor } from './network-executor.js';
import { NamespaceExecutor } from './network-namespaces.js';
import { type Toy, toyChain, toyRun } from './toy-run.js';
import type { ToyTask } from './toy-worker.js';

/** What a coordinator in a process of its own does; the last argument of `toy-coordinator.js RUN OUTPUT JSON`. */
export interface ToyCoordinator {
  /** Of each of the two tasks, in blocks. @default [3, 3, 3] */
  readonly shape?: readonly number[];
  /** Time that a block takes. */
  readonly milliseconds: number;
  readonly act?: ToyTask['act'];
  readonly leaseSeconds?: number;
  /** Its workers come over TCP on loopback. */
  readonly network?: boolean;
  /** Its workers are in these network namespaces, and cannot be ended while the file is there. */
  readonly namespaces?: { readonly names: readonly string[]; readonly cut: string };
  /** What differs from {@link toyChain}, task by task. */
  readonly differences?: readonly Pick<ToyTask, 'act' | 'on' | 'until'>[];
  /** Calls of blocks (`act: 'call'`) are answered once this file is there. */
  readonly opens?: string;
  /** Environment of SLURM's commands: workers are jobs of that cluster. */
  readonly slurm?: Readonly<Record<string, string>>;
  /** It kills itself when so many blocks are done, and some time has passed. */
  readonly killed?: { readonly blocks: number; readonly milliseconds: number } | undefined;
}

/** What toys call; answers once a file is there. */
function gatedService(opens: string): Service {
  return {
    async echo(_request, header, payload) {
      while (!existsSync(opens)) await delay(20);
      return { header, payload };
    },
    async *count() {
      for (let i = 1; i <= 5; i++) yield { header: i };
    },
  };
}

const [run, output, json] = process.argv.slice(2);
const {
  shape = [3, 3, 3],
  milliseconds,
  act,
  leaseSeconds = 60,
  slurm,
  killed,
  network,
  opens,
  namespaces,
  differences = [],
} = JSON.parse(json) as ToyCoordinator;
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
  const toys = toyChain(shape, milliseconds).map((toy, i): Toy => {
    return { ...toy, ...(act === undefined ? {} : { act }), ...differences[i] };
  });
  const options = { workers: 3, maxLosses: 100, signal: abort.signal, leaseSeconds, onEvent };
  const jobs = slurm === undefined ? undefined : toyJobs(slurm);
  const far = namespaces === undefined ? undefined : new NamespaceExecutor(namespaces.names, namespaces.cut);
  const executor = network === true ? new NetworkExecutor() : (far ?? jobs);
  const services = opens === undefined ? {} : { toy: gatedService(opens) };
  const others = executor === undefined ? { services } : { services, executor };
  console.log(JSON.stringify(await toyRun({ run, output }, toys, { ...options, ...others })));
} catch (error) {
  console.log(JSON.stringify(error), String(error));
  process.exitCode = 2;
}
