import { statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BlockwrightError, codeOf } from '../../errors.js';
import { doubtful, type Finding } from '../../site/finding.js';
import { profileText } from '../../site/profile.js';
import { COMMAND_SECONDS, lookAtSite } from '../../site/site.js';
import type { Section, SiteReport } from '../../site/site-check.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { localFolder } from '../local-folder.js';
import { siteText } from '../site-text.js';

export interface DoctorArguments {
  readonly folder: string | undefined;
  readonly 'run-directory': string | undefined;
  readonly json: boolean;
  readonly save: string | undefined;
  readonly timeout: number;
}

export const doctorCommand = defineCommand<DoctorArguments>({
  command: 'doctor [folder]',
  describe: 'Check this machine, a folder and the cluster for what runs need; says what to do',
  options: (yargs) =>
    yargs
      .positional('folder', { type: 'string', describe: 'Where runs and arrays will be. Default: the current folder' })
      .option('run-directory', { type: 'string', conflicts: 'folder', describe: 'The same; it need not exist yet' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .option('timeout', { type: 'number', default: COMMAND_SECONDS, describe: 'Seconds that a command has to answer' })
      .option('save', { type: 'string', describe: 'Write what was found into this file, YAML or (.json) JSON' }),
  run: async ({ folder, 'run-directory': runDirectory, json, save, timeout }, console) => {
    if (!(timeout > 0)) throw new BlockwrightError('ERR_CONFIG', `timeout: expected seconds > 0, found ${timeout}`);
    const wanted = localFolder('doctor', runDirectory ?? folder ?? '.');
    const here = runDirectory === undefined ? existing(wanted) : nearestExisting(wanted);
    const { sections, facts } = await lookAtSite(here, timeout);
    const report: SiteReport = { sections: [...sections, ...together({ sections, facts })], facts };
    if (json) console.out(JSON.stringify({ folder: here, ...report }, undefined, 2));
    else console.out(`${here}\n\n${siteText(report.sections)}`);
    if (save !== undefined) {
      writeFileSync(resolve(save), profileText(facts, save));
      console.error(`The profile of this site is in ${resolve(save)}`);
    }
    const isWrong = report.sections.some(({ findings }) => findings.some(({ verdict }) => verdict === 'wrong'));
    return isWrong ? ExitCode.incomplete : ExitCode.complete;
  },
});

/** What findings mean together. */
function together({ facts: { cluster, folder } }: SiteReport): Section[] {
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
