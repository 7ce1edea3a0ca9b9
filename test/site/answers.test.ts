import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { skewFinding } from '../../lib/site/behaviour-trials.js';
import { groupLimits } from '../../lib/site/cgroup.js';
import { monotonicFinding } from '../../lib/site/clock.js';
import { fileSystemFinding, inodeFinding, isShared, spaceFinding } from '../../lib/site/folder.js';
import { parseGpus } from '../../lib/site/gpus.js';
import { parseParameters, parseQueues } from '../../lib/site/lsf-answers.js';
import { memoryFinding, processorsFinding } from '../../lib/site/machine.js';
import { mountOf, parseMounts } from '../../lib/site/mounts.js';
import { candidates } from '../../lib/site/network.js';
import { limitFindings } from '../../lib/site/process-limits.js';
import { nodeFinding } from '../../lib/site/program.js';
import { configFindings, partitionFindings } from '../../lib/site/slurm.js';
import { parseConfig, parseMinutes, parseSinfo } from '../../lib/site/slurm-answers.js';

const GIB = 1024 ** 3;
const reader = (files: Readonly<Record<string, string>>) => (path: string) => files[path];

describe('cgroups', () => {
  const v2 = '35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';

  test('version 2: the lowest limit on the way up', () => {
    const read = reader({
      '/proc/self/mountinfo': v2,
      '/proc/self/cgroup': '0::/slurm/job_7/step_0\n',
      '/sys/fs/cgroup/slurm/job_7/step_0/memory.max': 'max\n',
      '/sys/fs/cgroup/slurm/job_7/memory.max': '4294967296\n',
      '/sys/fs/cgroup/slurm/memory.max': '8589934592\n',
      '/sys/fs/cgroup/slurm/job_7/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/slurm/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/pids.max': '500\n',
    });
    expect(groupLimits(read)).toEqual({ memory: 4 * GIB, processors: 1.5, processes: 500 });
  });

  test('version 1: mounts of controllers, huge numbers and -1 are no limit', () => {
    const read = reader({
      '/proc/self/mountinfo': [
        '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
        '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
        '39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids',
      ].join('\n'),
      '/proc/self/cgroup': '8:pids:/\n4:memory:/jobs/1\n1:cpu,cpuacct:/jobs/1\n',
      '/sys/fs/cgroup/memory/jobs/1/memory.limit_in_bytes': '2147483648\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/cpu,cpuacct/jobs/1/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu,cpuacct/jobs/1/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    });
    expect(groupLimits(read)).toEqual({ memory: 2 * GIB, processors: 2, processes: undefined });
  });

  test('a container sees its own part as the root', () => {
    const read = reader({
      '/proc/self/mountinfo': '35 24 0:30 /docker/ab /sys/fs/cgroup ro - cgroup2 cgroup rw\n',
      '/proc/self/cgroup': '0::/docker/ab\n',
      '/sys/fs/cgroup/memory.max': '1073741824\n',
    });
    expect(groupLimits(read).memory).toBe(GIB);
  });

  test('garbage and nothing are no limits', () => {
    const none = { memory: undefined, processors: undefined, processes: undefined };
    expect(groupLimits(() => undefined)).toEqual(none);
    expect(groupLimits(() => 'a - b\0 - c\n::::\n')).toEqual(none);
  });
});

test('processors and memory are judged with the limits of groups', () => {
  const machine = { processors: 64, allowed: 8, memory: 256 * GIB, available: 200 * GIB, limits: {} };
  expect(processorsFinding(machine)).toMatchObject({ verdict: 'good', found: '64, 8 of them for this process' });
  const limited = { ...machine, limits: { processors: 2.5, memory: 1.5 * GIB } };
  expect(processorsFinding(limited)).toMatchObject({
    verdict: 'doubtful',
    advice: expect.stringContaining('workers: 2 '),
  });
  expect(memoryFinding(machine).verdict).toBe('good');
  expect(memoryFinding(limited)).toMatchObject({
    verdict: 'doubtful',
    found: expect.stringContaining('limit of its group'),
  });
});

test('ulimits', () => {
  const table = (
    files: string,
    processes: string,
    space: string,
  ) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             ${processes.padEnd(20)} 96365                processes
Max open files            ${files.padEnd(20)} 1048576              files
Max address space         ${space.padEnd(20)} unlimited            bytes
`;
  const verdicts = (text: string, group?: number) =>
    Object.fromEntries(limitFindings(text, group).map(({ what, verdict }) => [what, verdict]));
  expect(verdicts(table('1048576', '96365', 'unlimited'))).toEqual({
    'open files': 'good',
    processes: 'good',
    'address space': 'good',
  });
  expect(verdicts(table('512', '96365', '8589934592'), 40)).toEqual({
    'open files': 'doubtful',
    processes: 'wrong',
    'address space': 'doubtful',
  });
  expect(verdicts(table('100', 'unlimited', 'unlimited'))['open files']).toBe('wrong');
  expect(limitFindings('', undefined).map(({ what }) => what)).toEqual(['processes']);
});

describe('file systems', () => {
  const mounts = parseMounts(
    [
      '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard',
      '40 27 0:40 / /data rw,relatime - nfs4 server:/export/data rw,vers=4.2,soft,local_lock=none',
      '41 40 0:41 / /data/with\\040space rw - lustre 10.0.0.1@o2ib:/fs rw,flock',
      '42 27 0:42 / /database rw - xfs /dev/vdb rw',
      'garbage',
    ].join('\n'),
  );

  test('the mount that holds a path is the longest, by whole names', () => {
    expect(mounts.length).toBe(4);
    expect(mountOf(mounts, '/data/with space/x')).toMatchObject({ type: 'lustre', source: '10.0.0.1@o2ib:/fs' });
    expect(mountOf(mounts, '/data/other')?.type).toBe('nfs4');
    expect(mountOf(mounts, '/databases')?.type).toBe('ext4');
  });

  test('verdicts', () => {
    const verdict = (type: string, ...options: string[]) => fileSystemFinding(type, { source: 's', options }).verdict;
    expect([verdict('ext4'), verdict('lustre'), verdict('nfs4', 'hard'), verdict('gpfs')]).toEqual(
      new Array(4).fill('good'),
    );
    const unsure = [verdict('nfs4', 'soft'), verdict('nfs', 'local_lock=all'), verdict('tmpfs'), verdict('overlay')];
    expect([...unsure, verdict('fuse.sshfs')]).toEqual(new Array(5).fill('doubtful'));
    expect(verdict('ext4', 'ro')).toBe('wrong');
    expect(['nfs4', 'lustre', 'cifs'].every(isShared)).toBe(true);
    expect(['ext4', 'tmpfs', 'overlay'].some(isShared)).toBe(false);
    expect([GIB / 8, GIB, 20 * GIB].map((bytes) => spaceFinding(bytes).verdict)).toEqual(['wrong', 'doubtful', 'good']);
    expect(inodeFinding(0, 0)).toEqual([]);
    expect(inodeFinding(1e6, 500)[0].verdict).toBe('wrong');
  });

  test('clocks: only what cannot be the time between two readings is a difference', () => {
    expect(skewFinding('x', 1000, 1003, 1005)).toMatchObject({ verdict: 'good', found: "agrees with this host's" });
    expect(skewFinding('x', 1000, 995, 1005).found).toBe("agrees with this host's");
    expect(skewFinding('x', 100_000, 110_000, 100_005)).toMatchObject({
      verdict: 'doubtful',
      found: "is 10.0 s ahead of this host's",
    });
    expect(skewFinding('x', 100_000, 95_000, 100_005).found).toContain('behind');
  });
});

test('a clock that goes back is wrong', () => {
  expect(monotonicFinding([1n, 5n, 9n]).verdict).toBe('good');
  expect(monotonicFinding([1n, 5n, 4n])).toMatchObject({ verdict: 'wrong', found: 'went back by 1 ns' });
  expect(monotonicFinding([0n, 1_000_000n]).verdict).toBe('doubtful');
});

test('versions of Node', () => {
  const verdicts = ['18.20.1', '20.18.0', '20.19.0', '24.1.0'].map((version) => nodeFinding(version).verdict);
  expect(verdicts).toEqual(['wrong', 'wrong', 'good', 'good']);
});

test('GPUs', () => {
  expect(parseGpus('NVIDIA A100-SXM4-80GB, 535.161.08, 81920\nNVIDIA H100, 550.54, [N/A]\n')).toEqual([
    { name: 'NVIDIA A100-SXM4-80GB', driver: '535.161.08', memory: 81920 },
    { name: 'NVIDIA H100', driver: '550.54', memory: 0 },
  ]);
  expect(parseGpus('No devices were found\n')).toBeUndefined();
  expect(parseGpus('')).toEqual([]);
});

test('interfaces: InfiniBand first, then the fastest; no bridges, no link-local addresses', () => {
  const address = (text: string, internal = false) => ({
    address: text,
    family: text.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
    internal,
    netmask: '',
    mac: '',
    cidr: null,
    scopeid: 0,
  });
  const found = candidates(
    {
      lo: [address('127.0.0.1', true)],
      docker0: [address('172.17.0.1')],
      eno1: [address('10.0.0.5'), address('fe80::1')],
      eno2: [address('10.1.0.5'), address('fd00::5')],
      ib0: [address('10.2.0.5')],
      zero: [address('169.254.1.1')],
    },
    (name) => ({ eno1: 1_000, eno2: 25_000 })[name] ?? 0,
  );
  expect(found.map(({ address }) => address)).toEqual(['10.2.0.5', '10.1.0.5', '10.0.0.5', 'fd00::5']);
});

describe('SLURM', () => {
  test('its configuration', () => {
    const out = `Configuration data as of 2026-11-26T12:00:00
AccountingStorageType   = accounting_storage/none
ClusterName             = cluster
MaxArraySize            = 1001
MaxJobCount             = 10000
MinJobAge               = 30 sec
SLURM_CONF              = /etc/slurm/slurm.conf

Slurmctld(primary) at host is UP
`;
    const values = parseConfig(out);
    const answer = { outcome: 'answered', out, error: '' } as const;
    const findings = configFindings(answer, values);
    expect(findings.map(({ verdict }) => verdict)).toEqual(['good', 'good', 'doubtful']);
    expect(findings[1].found).toBe('at most 1000 jobs an array (MaxArraySize 1001), 10000 in all (MaxJobCount)');
    expect(configFindings({ ...answer, out: 'hello' }, parseConfig('hello'))[0].verdict).toBe('doubtful');
    const silent = { outcome: 'silent', out: '', error: 'no answer within 10 s' } as const;
    expect(configFindings(silent, new Map())[0].verdict).toBe('wrong');
  });

  test('recorded answers of a cluster', () => {
    const recorded = (name: string) => {
      const folder = join(import.meta.dirname, '..', '..', '..', 'test', 'site', 'recorded');
      return readFileSync(join(folder, `${name}-22.05.txt`), 'utf8');
    };
    const out = recorded('scontrol-show-config');
    const values = parseConfig(out);
    expect(['MaxArraySize', 'MaxJobCount', 'MinJobAge', 'ClusterName'].map((key) => values.get(key))).toEqual([
      '1001',
      '10000',
      '300 sec',
      'test',
    ]);
    const findings = configFindings({ outcome: 'answered', out, error: '' }, values);
    expect(findings.map(({ verdict }) => verdict)).toEqual(['good', 'good']);
    expect(
      parseSinfo(recorded('sinfo'))?.map(({ name, isDefault, nodes, cpus, memory }) => [
        name,
        isDefault,
        nodes,
        cpus,
        memory,
      ]),
    ).toEqual([
      ['main', true, 3, 2, 2000],
      ['urgent', false, 3, 2, 2000],
    ]);
  });

  test('partitions: kinds of nodes are put together', () => {
    const partitions = parseSinfo(`main|main*|up|infinite|30:00|2|2|2000|(null)|(null)
gpu|gpu|up|1-12:00:00|n/a|2|64|512000+|a100,ib|gpu:a100:4(S:0,1)
gpu|gpu|up|1-12:00:00|n/a|1|32|256000|v100|gpu:v100:8
old|old|down|4:00:00|4:00:00|3|16|64000|(null)|(null)
`);
    expect(
      partitions?.map(({ name, isDefault, isUp, maxMinutes, nodes }) => [name, isDefault, isUp, maxMinutes, nodes]),
    ).toEqual([
      ['main', true, true, undefined, 2],
      ['gpu', false, true, 2160, 3],
      ['old', false, false, 240, 3],
    ]);
    expect(partitions?.[1]).toMatchObject({
      cpus: 64,
      memory: 512000,
      features: ['a100', 'ib', 'v100'],
      gres: ['gpu:a100:4(S:0,1)', 'gpu:v100:8'],
    });
    expect(partitionFindings(partitions, '').map(({ verdict }) => verdict)).toEqual(['good', 'good', 'doubtful']);
    expect(parseSinfo('PARTITION AVAIL\nmain up\n')).toBeUndefined();
    expect(partitionFindings(undefined, 'x')[0].verdict).toBe('doubtful');
    expect(partitionFindings([], '')[0].verdict).toBe('wrong');
  });

  test('times', () => {
    const times = ['15', '30:30', '4:00:00', '1-00:00:00', '2-3', 'infinite', 'n/a'].map(parseMinutes);
    expect(times).toEqual([15, 31, 240, 1440, 3060, undefined, undefined]);
  });
});

describe('LSF, as its documents print it', () => {
  test('queues', () => {
    const queues = parseQueues(`QUEUE_NAME      PRIO STATUS          MAX JL/U JL/P JL/H NJOBS  PEND   RUN  SUSP
owners          43  Open:Active       -    6    -    -     0     0     0     0
night           20  Open:Inact        -    -    -    -     0     0     0     0
`);
    expect(queues?.map(({ name, isUp }) => [name, isUp])).toEqual([
      ['owners', true],
      ['night', false],
    ]);
    expect(parseQueues('LSF is down. Please wait ...\n')).toBeUndefined();
  });

  test('parameters', () => {
    const parameters = parseParameters(`lsb.params configuration at Thu Nov 26
    MAX_JOB_ARRAY_SIZE = 2000
    CLEAN_PERIOD =  3600
`);
    expect([...parameters]).toEqual([
      ['MAX_JOB_ARRAY_SIZE', '2000'],
      ['CLEAN_PERIOD', '3600'],
    ]);
  });
});
