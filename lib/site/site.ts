import { behaviourCheck } from './behaviour.js';
import { clockCheck } from './clock.js';
import { askWithin } from './command-answer.js';
import { folderCheck } from './folder.js';
import { gpuCheck } from './gpus.js';
import { lsfCheck } from './lsf.js';
import { machineCheck } from './machine.js';
import { networkCheck } from './network.js';
import { programCheck } from './program.js';
import { makeChecks, type SiteCheck, type SiteReport } from './site-check.js';
import { slurmCheck } from './slurm.js';

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
