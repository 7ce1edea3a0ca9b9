import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import type { RunOptions } from '../../lib/coordinator/run.js';
import { BatchExecutor } from '../../lib/executors/batch-executor.js';
import { JobRecord } from '../../lib/executors/job-record.js';
import { Lsf } from '../../lib/executors/lsf.js';
import { parseJobs } from '../../lib/executors/lsf-jobs.js';
import type { ExecutorInput } from '../../lib/pipeline/executor-schema.js';
import { batchScripts } from '../../lib/pipeline/executors.js';
import { pipeline } from '../../lib/pipeline/pipeline.js';
import { processesOf, until } from '../support/processes.js';
import { makeShims } from '../support/shims.js';
import { outputHash, type Toy, toyChain, toyFolder, toyRun, toyWorker } from '../support/toy-run.js';
import { endFakeJob, type FakeJob } from './fake-lsf.js';

const fakeLsf = join(import.meta.dirname, 'fake-lsf.js');

let place: ReturnType<typeof toyFolder>;
let state: string;
let bin: string;
beforeEach(() => {
  place = toyFolder();
  state = join(place.folder, 'lsf');
  mkdirSync(state);
  const names = ['bsub', 'bjobs', 'bkill', 'bparams'];
  const shim = (name: string) => `exec '${process.execPath}' '${fakeLsf}' ${name} "$@"`;
  bin = makeShims(join(place.folder, 'bin'), Object.fromEntries(names.map((name) => [name, shim(name)])));
});
afterEach(async () => {
  await until('all processes have ended', () => processesOf(place.run).length === 0);
  place.remove();
});

/** The environment of commands that see these alone, besides the system's own. */
const environment = () => ({ PATH: `${bin}:/usr/bin:/bin`, FAKE_LSF: state });

function run(toys: readonly Toy[], options: Partial<RunOptions> = {}) {
  const system = new Lsf({ commandEnvironment: environment() });
  const command = [process.execPath, toyWorker];
  const listen = { address: '127.0.0.1', hostToo: true };
  const executor = new BatchExecutor({ system, command, label: 'toy', listen, pollSeconds: 0.2, retrySeconds: 0.2 });
  return toyRun(place, toys, { executor, workers: 3, ...options });
}

async function undisturbedHash(toys: readonly Toy[]): Promise<string> {
  const other = toyFolder();
  await toyRun(other, toys);
  const hash = outputHash(other.output, toys);
  other.remove();
  return hash;
}

function warn(pid: number): void {
  try {
    process.kill(pid, 'SIGUSR1');
  } catch {
    // it has just ended
  }
}

const jobs = () =>
  readdirSync(state)
    .filter((name) => /^job\.\d+\.\d+\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(state, name), 'utf8')) as FakeJob);

describe('workers as jobs of a stand-in for LSF', () => {
  test('make the same bytes as local ones, in arrays as large as the cluster allows; no job is left', async () => {
    const toys = toyChain([4, 4], 5);
    const result = await run(toys);
    expect(result.complete).toBe(true);
    expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
    expect(jobs().length).toBeGreaterThanOrEqual(3);
    // two at once, as bparams said
    expect(Math.max(...jobs().map(({ index }) => index))).toBe(2);
    expect(jobs().every(({ stat }) => stat === 'DONE' || stat === 'EXIT')).toBe(true);
  });

  test('jobs that a killed coordinator left are found by name and ended', async () => {
    const toys = toyChain([2, 2]);
    const system = new Lsf({ commandEnvironment: environment() });
    mkdirSync(join(place.run, 'logs'), { recursive: true });
    const record = JobRecord.open(place.run, 'lsf');
    record.submitting('left-1', ['1.0']);
    record.close();
    const command = [process.execPath, '-e', 'setTimeout(() => undefined, 600_000)', '--'];
    const [id] = await system.submit({ name: 'left-1', workerIds: ['1.0'], runDirectory: place.run, command });
    expect((await run(toys, { workers: 1 })).complete).toBe(true);
    expect((await system.query(['left-1'])).get(id)).toMatchObject({ state: 'ended', cause: 'cancelled' });
  });

  test('jobs that run out of time, are preempted or warned are replaced, and nobody is blamed', async () => {
    const toys = toyChain([4, 4], 40);
    const ends = [
      'TERM_RUNLIMIT: job killed after reaching LSF run time limit',
      'TERM_PREEMPT: job killed by preemption',
    ];
    const events: RunEvent[] = [];
    let done = 0;
    const result = await run(toys, {
      onEvent: (event) => {
        events.push(event);
        if (event.type !== 'block-done' || ++done % 6 !== 0) return;
        const running = jobs().find(({ stat }) => stat === 'RUN');
        if (running === undefined) return;
        const reason = ends.shift();
        if (reason !== undefined) endFakeJob(state, running.id, running.index, reason);
        else warn(running.pid!);
      },
    });
    expect(result.complete).toBe(true);
    expect(result.failures).toEqual([]);
    expect(ends).toEqual([]);
    expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
    expect(JSON.stringify(events)).toContain('EXIT, TERM_RUNLIMIT');
  });
});

describe('what commands say', () => {
  const lsfWith = (commands: Readonly<Record<string, string>>) => {
    makeShims(bin, commands);
    return new Lsf({ commandEnvironment: environment(), commandSeconds: 2 });
  };
  const submission = () => ({ name: 'toy-1', workerIds: ['1.0'], runDirectory: place.run, command: ['/bin/true'] });

  test.each([
    ['echo "No such queue: fast. Job not submitted." >&2; exit 255', 'invalid'],
    ['echo "User <u>: Pending job threshold reached. Retrying in 60 seconds..." >&2; exit 255', 'limit'],
    ['echo "LSF is down. Please wait ..." >&2; exit 255', 'unavailable'],
    ['echo "hello"', 'unavailable'],
    ['exec /bin/sleep 600', 'unavailable'],
  ])('bsub: %s', async (lines, kind) => {
    await expect(lsfWith({ bsub: lines }).submit(submission())).rejects.toMatchObject({ kind });
  });

  test('no bjobs at all, one that fails and one without jobs', async () => {
    await expect(lsfWith({ bjobs: 'echo garbage' }).query(['toy-1'])).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(lsfWith({ bjobs: 'exit 1' }).query(['toy-1'])).rejects.toMatchObject({ kind: 'unavailable' });
    expect((await lsfWith({ bjobs: 'echo No job found >&2; exit 255' }).query(['toy-1'])).size).toBe(0);
    rmSync(join(bin, 'bjobs'));
    const gone = new Lsf({ commandEnvironment: environment() });
    await expect(gone.query(['toy-1'])).rejects.toMatchObject({ kind: 'missing' });
  });

  test('bkill of what has ended is no error, of what cannot be ended one', async () => {
    await lsfWith({ bkill: 'echo "Job <5[1]>: Job has already finished" >&2; exit 255' }).cancel(['5[1]']);
    const refused = lsfWith({ bkill: 'echo "Job <5[1]>: User permission denied" >&2; exit 255' }).cancel(['5[1]']);
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('without MAX_JOB_ARRAY_SIZE an array has 1000', async () => {
    expect(await lsfWith({ bparams: 'echo Default Queues: normal' }).mostAtOnce()).toBe(1000);
  });
});

test('states of jobs and why they ended', () => {
  const found = parseJobs(
    [
      '7|1|PEND|-|-|run-a[1]|-|New job is waiting for scheduling;',
      '7|2|RUN|-|2*hostA|run-a[2]|-|-',
      '7|3|SSUSP|-|hostA|run-a[3]|-|-',
      '7|4|UNKWN|-|hostB|run-a[4]|-|-',
      '7|5|DONE|-|hostB|run-a[5]|-|-',
      '7|6|EXIT|3|hostB|run-a[6]|-|-',
      '7|7|EXIT|140|hostB|run-a[7]|TERM_RUNLIMIT: job killed after reaching LSF run time limit|-',
      '7|8|EXIT|137|hostB|run-a[8]|TERM_MEMLIMIT: job killed after reaching LSF memory usage limit|-',
      '7|9|EXIT|130|hostB|run-a[9]|TERM_OWNER: job killed by owner|-',
      '7|10|EXIT|137|hostB|run-a[10]|TERM_PREEMPT: job killed by preemption|-',
      '7|11|ZOMBI|-|hostB|run-a[11]|-|-',
      '8|0|RUN|-|hostB|not ours|-|-',
    ].join('\n'),
  );
  const facts = [...found].map(([id, { state, cause, status, signal }]) => [id, state, cause, status, signal]);
  expect(facts).toEqual([
    ['7[1]', 'waiting', undefined, null, null],
    ['7[2]', 'running', undefined, null, null],
    ['7[3]', 'running', undefined, null, null],
    ['7[4]', 'running', undefined, null, null],
    ['7[5]', 'ended', undefined, 0, undefined],
    ['7[6]', 'ended', undefined, 3, null],
    ['7[7]', 'ended', 'walltime', null, 'SIGUSR2'],
    ['7[8]', 'ended', 'out-of-memory', null, 'SIGKILL'],
    ['7[9]', 'ended', 'cancelled', null, 'SIGINT'],
    ['7[10]', 'ended', 'preempted', null, 'SIGKILL'],
    ['7[11]', 'ended', 'node-failure', null, null],
  ]);
  expect(found.get('7[7]')).toMatchObject({ name: 'run-a', word: 'EXIT, TERM_RUNLIMIT', node: 'hostB' });
  expect(found.get('7[1]')?.reason).toBe('New job is waiting for scheduling;');
});

describe('the pipeline key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lsf-key-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const make = (executor: ExecutorInput) =>
    pipeline(
      {
        name: 'test',
        executor,
        arrays: { from: { store: 'from.zarr' }, to: { store: 'to.zarr' } },
        tasks: { copy: { type: 'copy', source: 'from', target: 'to' } },
      },
      { folder },
    );

  test('writes everything that was said into the script', async () => {
    const made = await make({
      type: 'lsf',
      workers: 3,
      cpus: 2,
      memory: '8GB',
      time: '4:00',
      queue: 'normal',
      project: 'lab',
      resources: 'select[avx512]',
      gpus: 1,
      flags: ['-app blockwright'],
    });
    const lines = batchScripts(made).get('executor')!.split('\n');
    expect(lines.filter((line) => line.startsWith('#'))).toEqual([
      '#!/bin/bash',
      '#BSUB -J "test-plan[1-3]"',
      `#BSUB -o ${folder}/test.run/logs/test-plan.log`,
      '#BSUB -n 2',
      '#BSUB -R "span[hosts=1]"',
      '#BSUB -R "rusage[mem=8GB]"',
      '#BSUB -R "select[avx512]"',
      '#BSUB -W 4:00',
      '#BSUB -q normal',
      '#BSUB -P lab',
      '#BSUB -gpu num=1',
      '#BSUB -wa USR1',
      '#BSUB -wt 2',
      '#BSUB -rn',
      '#BSUB -app blockwright',
    ]);
    // indices of LSF begin at 1
    expect(lines.find((line) => line.startsWith('worker='))).toContain('[$LSB_JOBINDEX-1]');
  });

  test('refuses what bsub would', async () => {
    await expect(make({ type: 'lsf', workers: 1, time: '4:00:00' })).rejects.toThrow('hours:minutes');
    await expect(make({ type: 'lsf', workers: 1, memory: '8G' })).rejects.toThrow('8GB');
  });
});
