import { firstWords } from './answer-text.js';
import { versionFindings } from './cluster-text.js';
import { findCommand } from './command-answer.js';
import { absent, doubtful, type Finding, good, wrong } from './finding.js';
import { parseParameters, parseQueues } from './lsf-answers.js';
import type { SiteCheck } from './site-check.js';
import { leadingNumber } from './slurm-answers.js';

const COMMANDS = ['bsub', 'bjobs', 'bkill'];

/** The commands of LSF, whether they answer, its queues. Written from its documentation; never tried on a real LSF. */
export const lsfCheck: SiteCheck = {
  subject: 'LSF',
  look: async ({ ask }) => {
    const paths = await Promise.all(COMMANDS.map((command) => findCommand(command)));
    if (paths.every((path) => path === undefined)) return { findings: [absent('commands', 'not found')] };
    const lacking = COMMANDS.filter((_, i) => paths[i] === undefined);
    const { findings: versions, version } = await versionFindings(ask, COMMANDS, '-V', /\bLSF\b.*?(\d+(?:\.\d+)+)/);
    const findings: Finding[] = [...versions];
    if (lacking.length > 0) {
      findings.push(wrong('commands', `not found: ${lacking.join(', ')}`, 'Source the profile.lsf of the cluster'));
    }
    const [queues, parameters] = [await ask('bqueues', '-w'), await ask('bparams', '-a')];
    if (queues.outcome !== 'answered') {
      findings.push(wrong('queues', firstWords(queues.error), 'Ask bqueues yourself'));
      return { findings };
    }
    const partitions = parseQueues(queues.out);
    if (partitions === undefined) {
      const advice = 'Ask bqueues -w yourself';
      findings.push(doubtful('queues', `an answer that is not understood: ${firstWords(queues.out)}`, advice));
      return { findings };
    }
    for (const { name, isUp } of partitions) {
      findings.push(
        isUp
          ? good(`queue ${name}`, 'open')
          : doubtful(`queue ${name}`, 'not open and active', 'Jobs for it are refused or wait; choose another `queue`'),
      );
    }
    const values = parseParameters(parameters.out);
    const maxArraySize = leadingNumber(values.get('MAX_JOB_ARRAY_SIZE'));
    const maxJobCount = leadingNumber(values.get('MAX_JOB_NUM'));
    const said = maxArraySize === undefined ? 'not told; 1000 where nothing else is set' : String(maxArraySize);
    findings.push(good('limits', `jobs an array: ${said}`));
    return { findings, facts: { cluster: { type: 'lsf', version, maxArraySize, maxJobCount, partitions } } };
  },
};
