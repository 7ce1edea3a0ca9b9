import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { BatchExecutor } from '../../lib/executors/batch-executor.js';
import type { BatchSubmission, BatchSystem } from '../../lib/executors/batch-system.js';
import { Slurm, withoutJob } from '../../lib/executors/slurm.js';
import { parseQueue } from '../../lib/executors/slurm-queue.js';
import { until } from '../support/processes.js';

/** One job as squeue 22.05 prints it. */
const line = (state: string, { reason = 'None', restarts = 0, exit = '0', name = 'mine' } = {}) =>
  `71|3|${state}|${reason}|${restarts}|n1|${exit}|${name}|\n`;
const one = (...args: Parameters<typeof line>) => parseQueue(line(...args)).get('71_3');

test.each([
  ['PENDING', 'waiting', undefined],
  ['CONFIGURING', 'waiting', undefined],
  ['RUNNING', 'running', undefined],
  ['SUSPENDED', 'running', undefined],
  ['COMPLETING', 'ending', undefined],
  ['COMPLETED', 'ended', undefined],
  ['FAILED', 'ended', undefined],
  ['OUT_OF_MEMORY', 'ended', 'out-of-memory'],
  ['TIMEOUT', 'ended', 'walltime'],
  ['DEADLINE', 'ended', 'walltime'],
  ['NODE_FAIL', 'ended', 'node-failure'],
  ['BOOT_FAIL', 'ended', 'node-failure'],
  ['PREEMPTED', 'ended', 'preempted'],
  ['CANCELLED', 'ended', 'cancelled'],
  ['REQUEUE_HOLD', 'requeued', undefined],
  // of a later version of SLURM: no reason to give up a worker
  ['DANCING', 'running', undefined],
])('%s means %s, because of %s', (word, state, cause) => {
  expect(one(word)).toMatchObject({ state, word, name: 'mine', node: 'n1' });
  expect(one(word)?.cause).toBe(cause);
});

test('a job that waits or runs for the second time was requeued', () => {
  expect(one('PENDING', { restarts: 1 })?.state).toBe('requeued');
  expect(one('RUNNING', { restarts: 1 })?.state).toBe('requeued');
});

test('why it waits, and how it ended', () => {
  expect(one('PENDING', { reason: 'QOSMaxJobsPerUserLimit' })?.reason).toBe('QOSMaxJobsPerUserLimit');
  expect(one('PENDING', { reason: 'Nodes required for job are DOWN, DRAINED' })?.reason).toContain('DRAINED');
  expect(one('FAILED', { exit: '1792' })).toMatchObject({ status: 7, signal: null });
  expect(one('FAILED', { exit: '9' })).toMatchObject({ status: null, signal: 'SIGKILL' });
  expect(one('FAILED', { exit: '7:0' })).toMatchObject({ status: 7, signal: null });
  expect(one('FAILED', { exit: '0:15' })).toMatchObject({ status: null, signal: 'SIGTERM' });
  // 0 is what SLURM has when it knows nothing
  expect(one('NODE_FAIL')).toMatchObject({ status: null, signal: null });
  expect(one('COMPLETED')).toMatchObject({ status: 0, signal: null });
});

test('jobs that are no arrays, and of any name', () => {
  const text = `9|N/A|RUNNING|None|0|n0|0|a | b|\n12|N/A|PENDING|Priority|0||0||\n\n`;
  expect([...parseQueue(text)].map(([id, { name, node }]) => [id, name, node])).toEqual([
    ['9', 'a | b', 'n0'],
    ['12', '', undefined],
  ]);
});

test.each(['garbage', '71|3|RUNNING|None|0|n1|0|mi', '<html>', '\0\x01', `${line('RUNNING')}slurm_load_jobs error`])(
  'what is not squeue’s is not believed: %j',
  (text) => {
    expect(() => parseQueue(text)).toThrow('squeue printed what is no line of its');
  },
);

test("what a job's environment says about that job is not for the next", () => {
  const job = {
    SLURM_JOB_ID: '7',
    SLURM_CPUS_PER_TASK: '2',
    SBATCH_PARTITION: 'a',
    SQUEUE_FORMAT: '%i',
    SLURMD_NODENAME: 'n',
  };
  const kept = { PATH: '/bin', SLURM_CONF: '/etc/slurm.conf', SLURM_CONF_SERVER: 'host', HOME: '/root' };
  expect(withoutJob({ ...job, ...kept })).toEqual(kept);
});

test('where there is no SLURM, that is said', async () => {
  const nowhere = new Slurm({ commandEnvironment: { PATH: '/nowhere' } });
  await expect(nowhere.mostAtOnce()).rejects.toMatchObject({
    kind: 'missing',
    message: expect.stringContaining('cannot run scontrol'),
  });
});

test('jobs do not get nodes that are avoided, as long as people do not say otherwise', () => {
  const submission = { name: 'mine', workerIds: ['1.0'], runDirectory: '/run', command: ['/worker'] };
  const lines = (exclude?: readonly string[]) =>
    new Slurm({ flags: ['--exclude=n7'] })
      .script({ ...submission, exclude })
      .split('\n')
      .filter((text) => text.includes('--exclude'));
  expect(lines()).toEqual(['#SBATCH --exclude=n7']);
  expect(lines(['n1', 'n2'])).toEqual(['#SBATCH --exclude=n1,n2', '#SBATCH --exclude=n7']);
});

test('what a run finds out about hosts reaches the jobs that are submitted later', async () => {
  const excludes: unknown[] = [];
  const place = mkdtempSync(join(tmpdir(), 'queue-'));
  const system = {
    name: 'none',
    mostAtOnce: async () => 10,
    script: () => '',
    async submit({ exclude, workerIds }: BatchSubmission) {
      excludes.push(exclude);
      return workerIds;
    },
    find: async () => new Map(),
    query: async () => new Map(),
    cancel: async () => undefined,
  } as unknown as BatchSystem;
  const executor = new BatchExecutor({ system, command: ['/worker'], label: 'test' });
  await executor.open({ runDirectory: place, epoch: 1, pool: 0, notice: () => undefined, waiting: () => undefined });
  executor.excludeHosts(['n1']);
  executor.start({ workerId: '1.0', runDirectory: place, logFile: join(place, 'log') });
  await until('it was submitted', () => excludes.length > 0);
  expect(excludes).toEqual([['n1']]);
  await executor.close();
  rmSync(place, { recursive: true });
});
