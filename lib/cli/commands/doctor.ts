import { statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BlockwrightError, codeOf } from '../../errors.js';
import { doubtful, type Finding } from '../../site/finding.js';
import { interfacesFor } from '../../site/network.js';
import { profileText } from '../../site/profile.js';
import { COMMAND_SECONDS, lookAtNodes, lookAtSite } from '../../site/site.js';
import type { Section } from '../../site/site-check.js';
import type { SiteFacts } from '../../site/site-facts.js';
import type { Visit } from '../../site/visit.js';
import { defineCommand } from '../command.js';
import type { Console } from '../console.js';
import { ExitCode } from '../exit-code.js';
import { localFolder } from '../local-folder.js';
import { siteText } from '../site-text.js';
import { onStopRequests } from '../stop-requests.js';

export interface DoctorArguments {
  readonly folder: string | undefined;
  readonly 'run-directory': string | undefined;
  readonly json: boolean;
  readonly save: string | undefined;
  readonly timeout: number;
  readonly cluster: boolean;
  readonly partition: readonly string[];
  readonly 'submit-option': readonly string[];
  readonly listen: string | undefined;
  readonly wait: number;
}

/** The script that jobs are started with. */
const PROGRAM = join(import.meta.dirname, '..', '..', '..', '..', 'bin', 'blockwright.js');

export const doctorCommand = defineCommand<DoctorArguments>({
  command: 'doctor [folder]',
  describe: 'Check this machine, a folder and the cluster for what runs need; says what to do',
  options: (yargs) =>
    yargs
      .positional('folder', { type: 'string', describe: 'Where runs and arrays will be. Default: the current folder' })
      .option('run-directory', { type: 'string', conflicts: 'folder', describe: 'The same; it need not exist yet' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .option('timeout', { type: 'number', default: COMMAND_SECONDS, describe: 'Seconds that a command has to answer' })
      .option('cluster', {
        type: 'boolean',
        default: false,
        describe: 'Submit a small job that looks at a node, at the folder from there, and connects back',
      })
      .option('partition', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'A job for each of these partitions or queues. Default: one, in the default',
      })
      .option('submit-option', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Options of sbatch or bsub, e.g. --submit-option=--account=lab',
      })
      .option('listen', { type: 'string', describe: 'The interface or address that nodes connect to' })
      .option('wait', { type: 'number', default: 300, describe: 'Seconds that a job may wait in the queue' })
      .option('save', { type: 'string', describe: 'Write what was found into this file, YAML or (.json) JSON' }),
  run: async (given, console) => {
    const { folder, 'run-directory': runDirectory, json, save, timeout, wait } = given;
    for (const [name, value] of Object.entries({ timeout, wait })) {
      if (!(value > 0)) throw new BlockwrightError('ERR_CONFIG', `${name}: expected seconds > 0, found ${value}`);
    }
    if (given.listen !== undefined && interfacesFor(given.listen).length === 0) {
      const expected = 'expected an interface or address of this host';
      throw new BlockwrightError('ERR_CONFIG', `listen: ${expected}, found ${given.listen}`);
    }
    const wanted = localFolder('doctor', runDirectory ?? folder ?? '.');
    const here = runDirectory === undefined ? existing(wanted) : nearestExisting(wanted);
    const found = await lookAtSite(here, timeout);
    const nodes = given.cluster ? await visit(here, found.facts, given, console) : undefined;
    const listen = nodes?.listen ?? found.facts.listen;
    const facts = listen === undefined ? found.facts : { ...found.facts, listen };
    const sections = [...found.sections, ...(nodes?.sections ?? together(facts))];
    if (json) console.out(JSON.stringify({ folder: here, sections, facts }, undefined, 2));
    else console.out(`${here}\n\n${siteText(sections, Math.min(process.stdout.columns ?? 110, 120))}`);
    if (save !== undefined) {
      writeFileSync(resolve(save), profileText(facts, save));
      console.error(`The profile of this site is in ${resolve(save)}`);
    }
    const isWrong = sections.some(({ findings }) => findings.some(({ verdict }) => verdict === 'wrong'));
    return isWrong ? ExitCode.incomplete : ExitCode.complete;
  },
});

/** Whatever ends it, its jobs are cancelled and its files removed. */
async function visit(folder: string, facts: SiteFacts, given: DoctorArguments, console: Console): Promise<Visit> {
  const requests = onStopRequests(() => console.error('Stopping: jobs are cancelled and files removed'));
  try {
    return await lookAtNodes(folder, facts, {
      partitions: given.partition,
      submitOptions: given['submit-option'],
      listen: given.listen,
      waitSeconds: given.wait,
      commandSeconds: given.timeout,
      command: [process.execPath, PROGRAM, 'visit-node'],
      signal: requests.stop,
      say: (text) => console.error(text),
    });
  } catch (error) {
    if (!requests.stop.aborted) throw error;
    throw new BlockwrightError('ERR_INTERRUPTED', 'stopped on request', {}, { cause: error });
  } finally {
    requests.release();
  }
}

/** What findings mean together. */
function together({ cluster, folder }: SiteFacts): Section[] {
  const findings: Finding[] = [];
  if (cluster !== undefined && folder !== undefined && !folder.shared) {
    const advice = 'Take a folder that all nodes see; `blockwright doctor --cluster` shows whether they do';
    findings.push(doubtful('the folder', `${folder.fileSystem} looks as if it were of this machine alone`, advice));
  }
  return findings.length === 0 ? [] : [{ subject: 'cluster and folder', findings }];
}

function existing(path: string): string {
  if (isFolder(path)) return path;
  throw new BlockwrightError('ERR_CONFIG', `folder: expected an existing folder, found none at ${path}`);
}

function nearestExisting(path: string): string {
  return isFolder(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}
