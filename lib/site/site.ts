import { messageOf } from '../errors.js';
import { withoutJob } from '../executors/slurm.js';
import { behaviourCheck } from './behaviour.js';
import { clockCheck } from './clock.js';
import { lsfJobs, slurmJobs } from './cluster-jobs.js';
import { askWithin } from './command-answer.js';
import { wrong } from './finding.js';
import { folderCheck } from './folder.js';
import { gpuCheck } from './gpus.js';
import { lsfCheck } from './lsf.js';
import { machineCheck } from './machine.js';
import { interfacesFor, networkCheck } from './network.js';
import { programCheck } from './program.js';
import { makeChecks, type SiteCheck, type SiteReport } from './site-check.js';
import type { SiteFacts } from './site-facts.js';
import { slurmCheck } from './slurm.js';
import { type Visit, visitNodes } from './visit.js';

/** What any host of a run is asked. */
const HOST_CHECKS: readonly SiteCheck[] = [
  programCheck,
  machineCheck,
  clockCheck,
  folderCheck,
  behaviourCheck,
  gpuCheck,
];
/** What the host of the coordinator is asked beside it. */
const COORDINATOR_CHECKS: readonly SiteCheck[] = [networkCheck, slurmCheck, lsfCheck];

/** Seconds that a command of the site has to answer. */
export const COMMAND_SECONDS = 10;

/** Looks at this host, and at a folder (absolute) as it is seen from here. Never throws. */
export async function lookAtHost(folder: string): Promise<SiteReport> {
  return makeChecks(HOST_CHECKS, { folder, ask: askWithin(COMMAND_SECONDS) });
}

/** The same and what concerns a coordinator: network and cluster. */
export async function lookAtSite(folder: string, seconds = COMMAND_SECONDS): Promise<SiteReport> {
  return makeChecks([...HOST_CHECKS, ...COORDINATOR_CHECKS], { folder, ask: askWithin(seconds) });
}

export interface NodeOptions {
  /** Partitions or queues, a job each. @default one job, in the cluster's default */
  readonly partitions: readonly string[];
  /** Options of sbatch or bsub, word for word. */
  readonly submitOptions: readonly string[];
  /** An interface or address of this host that nodes connect to. @default all that are not the host's own affair */
  readonly listen: string | undefined;
  /** How long a job may wait in the queue. */
  readonly waitSeconds: number;
  readonly commandSeconds: number;
  /** The command line's program and its arguments; gets `FOLDER NAME`. */
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  say(text: string): void;
}

/** Has nodes of the cluster that was found look at the folder and at this host. Rejects when the signal is raised. */
export async function lookAtNodes(folder: string, { cluster }: SiteFacts, options: NodeOptions): Promise<Visit> {
  const { partitions, submitOptions, listen, waitSeconds, commandSeconds, command, signal, say } = options;
  const interfaces = interfacesFor(listen);
  if (cluster === undefined) {
    const advice = 'Mend what is said above of SLURM or LSF; without it no node can be looked at';
    return {
      sections: [{ subject: 'nodes', findings: [wrong('cluster', 'none that answers', advice)] }],
      listen: undefined,
    };
  }
  const ask = askWithin(commandSeconds, withoutJob(process.env));
  try {
    return await visitNodes({
      folder,
      jobs: cluster.type === 'slurm' ? slurmJobs(ask) : lsfJobs(ask),
      partitions: partitions.length === 0 ? [undefined] : partitions,
      options: submitOptions,
      interfaces,
      waitSeconds,
      command,
      signal,
      say,
    });
  } catch (error) {
    signal.throwIfAborted();
    const finding = wrong(
      'visit',
      `could not be made: ${messageOf(error)}`,
      'Look at what is said above of the folder',
    );
    return { sections: [{ subject: 'nodes', findings: [finding] }], listen: undefined };
  }
}
