import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { journalFaults, leftovers, outputFiles, startRun } from '../integration/disturbed-run.js';
import { makeSegmentation, resultHashes, type Segmentation } from '../integration/segmentation.js';
import { processesOf, until } from '../support/processes.js';
import { journalOf } from '../support/toy-run.js';

/** A process ends, a call fails with an error, or a write writes half. */
export type IoFault = 'kill' | 'short' | 'EIO' | 'ENOSPC' | 'EMFILE' | 'ESTALE' | 'EINTR';

/** Where it happens: in the coordinator or in a worker, by the word that their commands have. */
export type FaultyProcess = 'run' | 'worker';

export interface IoFaultCase {
  readonly process: FaultyProcess;
  readonly kind: IoFault;
  /** The how-manieth step of input and output, from 1. */
  readonly at: number;
}

/** Small enough to be run hundreds of times: two blocks a task. */
const SMALL = { size: [16, 16, 16], blockSize: [8, 16, 16], context: [2, 2, 2] };
/** Calls of a command that is expected to succeed. */
const MOST_STARTS = 4;

/** What every faulty run is compared with. */
export interface CalmRun {
  readonly hashes: Record<string, string>;
  readonly files: ReadonlySet<string>;
}

export async function runCalm(folder: string): Promise<CalmRun> {
  const calm = await makeSegmentation(folder, SMALL);
  const command = startRun(calm, 1);
  if ((await command.ended) !== 0) throw new Error(command.text());
  return { hashes: await resultHashes(calm), files: outputFiles(calm) };
}

export interface IoFaultResult {
  /** Whether the process came to that step at all. */
  readonly happened: boolean;
  /** What is not as it shall be. */
  readonly faults: readonly string[];
}

/** One run with one fault, started again until it succeeds; then everything is as in the run without. */
export async function runWithIoFault(
  folder: string,
  shim: string,
  { process: where, kind, at }: IoFaultCase,
  calm: CalmRun,
): Promise<IoFaultResult> {
  const segmentation = await makeSegmentation(folder, SMALL);
  const once = `${folder}.happened`;
  const faults: string[] = [];
  const number = kind === 'kill' || kind === 'short' ? kind : String(constants.errno[kind as 'EIO']);
  const environment = {
    LD_PRELOAD: shim,
    FAULT_PROCESS: where,
    FAULT_FOLDER: folder,
    FAULT_AT: String(at),
    FAULT_KIND: number,
    FAULT_ONCE: once,
  };
  let told = '';
  let status: number | null = null;
  let starts = 0;
  while (status !== 0 || starts === 0) {
    if (++starts > MOST_STARTS) {
      faults.push(`no success in ${MOST_STARTS} starts: ${told}`);
      break;
    }
    const command = startRun(segmentation, 1, starts === 1 ? environment : {});
    status = await command.ended;
    told += command.text();
    await until('its workers have ended', () => processesOf(segmentation.runDirectory).length === 0);
  }
  const happened = existsSync(once);
  rmSync(once, { force: true });
  if (status === 0) {
    const found = await resultHashes(segmentation);
    for (const [name, hash] of Object.entries(calm.hashes)) if (found[name] !== hash) faults.push(`${name} differs`);
    faults.push(...leftovers(segmentation, calm.files).map((path) => `left: ${path}`));
    faults.push(...storyFaults(segmentation, kind, where, starts, told));
  }
  return { happened, faults };
}

/** What the run says of itself: blocks done once, and an error named where there was one. */
function storyFaults(
  segmentation: Segmentation,
  kind: IoFault,
  where: FaultyProcess,
  starts: number,
  told: string,
): string[] {
  // the coordinator ends in the midst of everything, whether it was killed or gave up
  const kills = { workers: where === 'worker' ? 1 : 0, coordinators: where === 'run' ? 1 : 0 };
  const wrong = journalFaults(segmentation, kills);
  if (kind === 'kill') return wrong;
  const harmless = kind === 'EINTR' || kind === 'short';
  const trouble = journalOf(segmentation.runDirectory).filter(
    ({ event, status }) =>
      event === 'block-failed' || event === 'block-lost' || (event === 'worker-end' && status !== 0),
  );
  const story = told + trouble.map((entry) => JSON.stringify(entry)).join() + workerLogs(segmentation);
  // SQLite does not go on with a sync that was interrupted: the transaction fails, and is told as a failure of the disk is
  const sync = 'SQLITE_IOERR_FSYNC';
  const ofSqlite =
    kind === 'EINTR' && story.includes(sync) && trouble.every(({ message }) => String(message).includes(sync));
  if (harmless && !ofSqlite)
    return [...wrong, ...(starts > 1 ? [`it ended: ${told}`] : []), ...trouble.map((entry) => JSON.stringify(entry))];
  const name = ofSqlite ? sync : kind;
  const silent = (starts > 1 || trouble.length > 0) && !story.includes(name) ? [`${name} is not named: ${story}`] : [];
  // a block that failed once is retried: its attempts are counted by the failure
  return [...wrong.filter((fault) => !/"event":"block-failed"|: attempt \d+$/.test(fault)), ...silent];
}

function workerLogs({ runDirectory }: Segmentation): string {
  const { path } = new RunFolder(runDirectory);
  const folder = join(path, 'logs');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
}
