import { firstWords } from './answer-text.js';
import { minutesText, versionFindings } from './cluster-text.js';
import { type CommandAnswer, findCommand } from './command-answer.js';
import { absent, doubtful, type Finding, good, wrong } from './finding.js';
import type { Observation, SiteCheck, Surroundings } from './site-check.js';
import type { ClusterFacts, Partition } from './site-facts.js';
import { leadingNumber, parseConfig, parseSinfo, SINFO_FORMAT } from './slurm-answers.js';

const COMMANDS = ['sbatch', 'squeue', 'scontrol', 'scancel', 'sinfo'];
/** What its commands say where its packages are and no configuration is. */
const NOT_SET_UP = /could not establish a configuration source|cannot stat file .*slurm\.conf/i;

/** The commands of SLURM, whether they answer, and what its limits are. */
export const slurmCheck: SiteCheck = {
  subject: 'SLURM',
  look: async (surroundings) => {
    const paths = await Promise.all(COMMANDS.map((command) => findCommand(command)));
    if (paths.every((path) => path === undefined)) return { findings: [absent('commands', 'not found')] };
    const lacking = COMMANDS.filter((_, i) => paths[i] === undefined);
    const versions = await versionFindings(surroundings.ask, COMMANDS, '--version', /^slurm\S* (\S+)/m);
    if (versions.version === '') {
      const { error } = await surroundings.ask(COMMANDS.find((_, i) => paths[i] !== undefined)!, '--version');
      if (NOT_SET_UP.test(error)) {
        const found =
          'installed, not set up: there is no slurm.conf, and no server that has one; of no concern without SLURM';
        return { findings: [absent('commands', found)] };
      }
      const said = versions.findings.map(({ found }) => found)[0] ?? '';
      const advice = 'Only runs on SLURM are concerned: their host needs its configuration and a way to its controller';
      return { findings: [wrong('commands', `are there, and do not answer: ${said}`, advice)] };
    }
    const findings = [...versions.findings];
    if (lacking.length > 0) {
      findings.push(wrong('commands', `not found: ${lacking.join(', ')}`, 'Install them, or load the module of SLURM'));
    }
    const inside = process.env.SLURM_JOB_ID;
    if (inside !== undefined) findings.push(good('this process', `is in job ${inside}`));
    const { findings: more, facts } = await lookAtController(surroundings, versions.version);
    return { findings: [...findings, ...more], facts };
  },
};

async function lookAtController({ ask }: Surroundings, version: string): Promise<Observation> {
  const config = await ask('scontrol', 'show', 'config');
  const queue = await ask('squeue', '--noheader', '--format=%i', '--states=RUNNING', `--user=${userName()}`);
  const sinfo = await ask('sinfo', '--noheader', `--format=${SINFO_FORMAT}`);
  const findings: Finding[] = [];
  const values = parseConfig(config.out);
  findings.push(...configFindings(config, values));
  findings.push(
    silentFinding('queue', queue, () => good('queue', `squeue answers, ${count(queue.out)} of your jobs run`)),
  );
  const partitions = sinfo.outcome === 'answered' ? parseSinfo(sinfo.out) : [];
  findings.push(
    ...(sinfo.outcome !== 'answered'
      ? [silentFinding('partitions', sinfo, () => good('partitions', ''))]
      : partitionFindings(partitions, sinfo.out)),
  );
  if (partitions === undefined || partitions.length === 0) return { findings };
  const cluster: ClusterFacts = {
    type: 'slurm',
    version,
    maxArraySize: leadingNumber(values.get('MaxArraySize')),
    maxJobCount: leadingNumber(values.get('MaxJobCount')),
    partitions,
  };
  return { findings, facts: { cluster } };
}

const userName = () => process.env.USER ?? process.env.LOGNAME ?? String(process.getuid?.() ?? '');
const count = (text: string) => text.split('\n').filter((line) => line.trim() !== '').length;

function silentFinding(what: string, { outcome, error, out }: CommandAnswer, answered: () => Finding): Finding {
  if (outcome === 'answered') return answered();
  return wrong(
    what,
    firstWords(error === '' ? out : error),
    'Ask it yourself; without an answer no job can be followed',
  );
}

export function configFindings(answer: CommandAnswer, values: ReadonlyMap<string, string>): Finding[] {
  if (answer.outcome !== 'answered') return [silentFinding('controller', answer, () => good('controller', ''))];
  const [size, jobs, age] = ['MaxArraySize', 'MaxJobCount', 'MinJobAge'].map((key) => leadingNumber(values.get(key)));
  if (size === undefined || jobs === undefined) {
    const advice = 'Ask `scontrol show config` yourself: MaxArraySize and MaxJobCount were expected';
    return [doubtful('controller', `an answer that is not understood: ${firstWords(answer.out)}`, advice)];
  }
  const findings = [good('controller', `answers, cluster ${values.get('ClusterName') ?? 'without a name'}`)];
  const limits = `at most ${size - 1} jobs an array (MaxArraySize ${size}), ${jobs} in all (MaxJobCount)`;
  findings.push(
    size > 1
      ? good('limits', limits)
      : doubtful('limits', limits, 'Arrays are switched off: each worker is a job of its own'),
  );
  const forgets = values.get('AccountingStorageType')?.endsWith('/none') ?? true;
  if (age !== undefined && age < 60 && forgets) {
    const advice = 'Raise MinJobAge to 300: how a job ended is asked for within that time, as there is no accounting';
    findings.push(doubtful('ended jobs', `are forgotten after ${age} s`, advice));
  }
  return findings;
}

export function partitionFindings(partitions: readonly Partition[] | undefined, text: string): Finding[] {
  if (partitions === undefined) {
    const advice = `Ask sinfo --format='${SINFO_FORMAT}' yourself`;
    return [doubtful('partitions', `an answer that is not understood: ${firstWords(text)}`, advice)];
  }
  if (partitions.length === 0) return [wrong('partitions', 'none that you may use', 'Ask who runs the cluster')];
  return partitions.map((partition) => {
    const { name, isDefault, isUp, maxMinutes, defaultMinutes, nodes, cpus, memory, features, gres } = partition;
    const what = `partition ${name}${isDefault ? ' (default)' : ''}`;
    const size = `${nodes} nodes of up to ${cpus} processors and ${memory} MiB`;
    const time = `time ${minutesText(maxMinutes)}${defaultMinutes === undefined ? '' : `, ${minutesText(defaultMinutes)} if none is asked for`}`;
    const more = [
      ...(gres.length > 0 ? [`gres ${gres.join(' ')}`] : []),
      ...(features.length > 0 ? [`features ${features.join(' ')}`] : []),
    ];
    const found = [size, time, ...more].join('; ');
    if (!isUp) return doubtful(what, `down; ${found}`, 'Jobs for it wait; choose another `partition`');
    return good(what, found);
  });
}
