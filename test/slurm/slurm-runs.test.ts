import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import type { RunOptions } from '../../lib/coordinator/run.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { JobRecord } from '../../lib/executors/job-record.js';
import type { SlurmOptions } from '../../lib/executors/slurm.js';
import { processesOf, until } from '../support/processes.js';
import type { ToyCoordinator } from '../support/toy-coordinator.js';
import { journalOf, outputHash, type Toy, toyChain, toyFolder, toyRun } from '../support/toy-run.js';
import { Cluster, noCluster } from './cluster.js';
import { realCommand, shimFolder } from './shims.js';
import { jobLines, toyJobs } from './toy-jobs.js';

const reason = noCluster();
if (reason !== undefined) console.warn(`tests on a SLURM cluster are left out: ${reason}`);
const withCluster = reason === undefined ? test : test.skip;

let cluster: Cluster;
let place: ReturnType<typeof toyFolder>;
let events: RunEvent[];
beforeAll(async () => {
  if (reason === undefined) cluster = await Cluster.start();
});
afterAll(async () => {
  await cluster?.stop();
  expect(cluster?.left() ?? []).toEqual([]);
});
beforeEach(() => {
  place = toyFolder();
  events = [];
});
afterEach(async () => {
  if (reason === undefined) {
    await until('no job is left', () => cluster.jobs().length === 0);
    await until('all processes have ended', () => processesOf(place.run).length === 0);
  }
  place.remove();
});

function run(toys: readonly Toy[], options: Partial<RunOptions> & { slurm?: SlurmOptions } = {}) {
  const { slurm, ...others } = options;
  return toyRun(place, toys, {
    executor: toyJobs(cluster.env, slurm),
    workers: 5,
    ...others,
    onEvent: (event) => {
      events.push(event);
      others.onEvent?.(event);
    },
  });
}

async function undisturbedHash(toys: readonly Toy[]): Promise<string> {
  const other = toyFolder();
  await toyRun(other, toys);
  const hash = outputHash(other.output, toys);
  other.remove();
  return hash;
}

const named = (name: string) => journalOf(place.run).filter(({ event }) => event === name);
const endsOf = () => named('worker-end').map(({ reason }) => String(reason));

withCluster('a run on three nodes: the same bytes as on this machine', async () => {
  const toys = toyChain([4, 4, 4], 20);
  let whereabouts: unknown;
  const result = await run(toys, {
    onEvent: (event) => {
      if (event.type !== 'block-done' || whereabouts !== undefined) return;
      whereabouts = JSON.parse(readFileSync(new RunFolder(place.run).address, 'utf8'));
    },
  });
  // the workers came over the network
  expect(whereabouts).toMatchObject({ hostToo: true, addresses: [{ address: '127.0.0.1' }] });
  expect(result).toMatchObject({ complete: true, failures: [] });
  expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
  // one array for all that were started together
  expect(named('executor-notice').map(({ message }) => message)).toEqual([
    expect.stringMatching(/^submitted 5 slurm jobs: \d+_0 to \d+_4$/),
  ]);
  const nodes = new Set(endsOf().map((text) => /on (n\d): COMPLETED$/.exec(text)?.[1]));
  expect([...nodes].sort()).toEqual(['n0', 'n1', 'n2']);
  const logs = readdirSync(join(place.run, 'logs')).sort();
  expect(logs).toEqual(
    expect.arrayContaining(['worker-1.0.log', 'worker-1.1.log', 'worker-1.2.log', 'worker-1.3.log', 'worker-1.4.log']),
  );
  // nothing is left open for the next run
  expect(jobLines(place.run).map(({ event }) => event)).toEqual(['submitting', 'submitted', 'over']);
});

withCluster('a node that is cut off: its jobs are over for SLURM while their processes go on', async () => {
  const toys = toyChain([4, 4, 3], 100);
  let cutOff: string | undefined;
  const result = await run(toys, {
    workers: 6,
    onEvent: (event) => {
      if (event.type !== 'block-done' || cutOff !== undefined) return;
      if (cluster.jobs().filter((line) => line.includes(' RUNNING n1 ')).length < 2) return;
      cutOff = 'n1';
      cluster.killNode(1);
      // what the controller does by itself some time after the node's last sign of life
      cluster.call('scontrol', 'update', 'NodeName=n1', 'State=DOWN', 'Reason=test');
    },
  });
  try {
    expect(result).toMatchObject({ complete: true, failures: [] });
    // nobody says that a block or a worker failed
    expect(named('block-failed')).toEqual([]);
    expect(named('worker-end').filter(({ cause }) => cause === 'node-failure').length).toBe(2);
    expect(endsOf()).toContainEqual(expect.stringMatching(/on n1: NODE_FAIL/));
    expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
    const done = named('block-done').map(({ task, block }) => `${task} ${block}`);
    expect(new Set(done).size).toBe(done.length);
  } finally {
    await cluster.startNode(1);
  }
});

withCluster('jobs that are preempted give their blocks back, and others follow', async () => {
  const toys = toyChain([4, 4, 3], 100);
  let running = 0;
  const result = await run(toys, {
    workers: 6,
    onEvent: (event) => {
      if (event.type !== 'block-done' || running > 0) return;
      running = cluster.jobs().filter((line) => line.includes(' RUNNING ')).length;
      cluster.call('sbatch', '--partition=urgent', '--nodes=3', '--exclusive', '--output=/dev/null', '--wrap=sleep 1');
    },
  });
  expect(result).toMatchObject({ complete: true, failures: [] });
  expect(running).toBeGreaterThan(1);
  expect(endsOf().filter((text) => text.includes('PREEMPTED')).length).toBeGreaterThanOrEqual(running);
  expect([...named('block-failed'), ...named('block-lost')]).toEqual([]);
  // those that follow wait until the other job has ended
  expect(events.some((event) => event.type === 'workers-waiting' && event.workers > 0)).toBe(true);
  expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
});

withCluster('jobs that somebody cancels by hand are replaced', async () => {
  const toys = toyChain([4, 4, 2], 100);
  let cancelled = 0;
  const result = await run(toys, {
    workers: 3,
    onEvent: (event) => {
      if (event.type !== 'block-done' || cancelled >= 3) return;
      const [job] = cluster.jobs().filter((line) => line.includes(' RUNNING '));
      if (job === undefined) return;
      cluster.call('scancel', job.split(' ')[0]);
      cancelled++;
    },
  });
  expect(cancelled).toBe(3);
  expect(result).toMatchObject({ complete: true, failures: [] });
  expect(endsOf()).toContainEqual(expect.stringMatching(/CANCELLED|COMPLETED/));
  expect([...named('block-failed'), ...named('block-lost')]).toEqual([]);
  expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
});

withCluster('a job that is requeued is no worker any more: it is cancelled, and another submitted', async () => {
  const toys = toyChain([4, 4, 2], 100);
  let requeued: string | undefined;
  const result = await run(toys, {
    workers: 2,
    // as a site may want it
    slurm: { flags: ['--requeue'] },
    onEvent: (event) => {
      if (event.type !== 'block-done' || requeued !== undefined) return;
      requeued = cluster
        .jobs()
        .find((line) => line.includes(' RUNNING '))
        ?.split(' ')[0];
      if (requeued !== undefined) cluster.call('scontrol', 'requeue', requeued);
    },
  });
  expect(requeued).toBeDefined();
  expect(result).toMatchObject({ complete: true, failures: [] });
  expect(endsOf()).toContainEqual(expect.stringMatching(`slurm job ${requeued}.*: requeued`));
  expect(named('block-failed')).toEqual([]);
  expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
});

withCluster('what can never be submitted ends the run with what sbatch says', async () => {
  const failed = run(toyChain([2, 2, 1]), { slurm: { partition: 'nowhere' } });
  await expect(failed).rejects.toMatchObject({
    code: 'ERR_WORKER_START',
    message: expect.stringMatching(/they cannot be started.*sbatch: .*invalid partition specified: nowhere/s),
  });
});

withCluster('a full cluster: the run says why it waits, and begins when there is room', async () => {
  cluster.call('sbatch', '--nodes=3', '--exclusive', '--output=/dev/null', '--wrap=sleep 4');
  const toys = toyChain([4, 4, 1]);
  const result = await run(toys, { workers: 2 });
  expect(result).toMatchObject({ complete: true, failures: [] });
  const waits = events.flatMap((event) =>
    event.type === 'workers-waiting' ? [`${event.workers} ${event.reason}`] : [],
  );
  expect(waits).toContainEqual(expect.stringMatching(/^2 (Resources|Priority)/));
  expect(waits[waits.length - 1]).toBe('0 ');
});

withCluster('jobs of a coordinator that was killed are cancelled by the next', async () => {
  new RunFolder(place.run).create();
  // a submission of which the answer was never heard, and one with jobs that wait for ever
  const left = JobRecord.open(place.run, 'slurm');
  left.submitting('toy-unheard', ['1.0']);
  left.submitting('toy-heard', ['1.1', '1.2']);
  for (const name of ['toy-unheard', 'toy-heard', 'toy-of-somebody-else']) {
    const job = cluster.call(
      'sbatch',
      '--parsable',
      '--hold',
      `--job-name=${name}`,
      '--output=/dev/null',
      '--wrap=true',
    );
    if (name === 'toy-heard') left.submitted(name, [`${job.trim()}_0`]);
  }
  left.close();
  const result = await run(toyChain([2, 2, 1]), { workers: 1 });
  expect(result.complete).toBe(true);
  expect(cluster.jobs().map((line) => line.split(' ').pop())).toEqual(['toy-of-somebody-else']);
  cluster.call('scancel', '--name=toy-of-somebody-else');
});

withCluster('commands that fail, hang and print garbage say nothing about jobs', async () => {
  const toys = toyChain([4, 4, 3], 150);
  const shims = shimFolder(place.folder);
  shims.write('squeue', [
    'case $n in',
    '1) echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1;;',
    '2) sleep 600;;',
    '3) echo "<html>502 Bad Gateway</html>"; exit 0;;',
    '4) head -c 300 /dev/urandom; exit 0;;',
    '*) [ $((n % 3)) = 0 ] && exit 1;;',
    'esac',
  ]);
  shims.write('sbatch', [
    'if [ $n -le 2 ]; then echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2; exit 1; fi',
  ]);
  shims.write('scancel', ['[ $((n % 2)) = 1 ] && exit 1']);
  const result = await run(toys, {
    workers: 3,
    slurm: { commandEnvironment: { PATH: shims.path }, commandSeconds: 1 },
  });
  expect(result).toMatchObject({ complete: true, failures: [] });
  expect([...named('block-failed'), ...named('block-lost')]).toEqual([]);
  expect(shims.calls('squeue')).toBeGreaterThanOrEqual(5);
  expect(shims.calls('sbatch')).toBe(3);
  expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
});

withCluster('a job that was submitted though sbatch got no answer is found and cancelled', async () => {
  const shims = shimFolder(place.folder);
  // takes the job, and then hangs
  shims.write('sbatch', [
    `if [ $n = 1 ]; then ${realCommand('sbatch')} --hold "$@" > '${place.folder}/unheard'; sleep 600; fi`,
  ]);
  const result = await run(toyChain([2, 2, 1], 200), {
    workers: 2,
    slurm: { commandEnvironment: { PATH: shims.path }, commandSeconds: 1 },
  });
  expect(result.complete).toBe(true);
  expect(shims.calls('sbatch')).toBeGreaterThanOrEqual(2);
  const unheard = readFileSync(join(place.folder, 'unheard'), 'utf8').trim();
  expect(cluster.call('scontrol', '-o', 'show', 'job', unheard)).toContain(' JobState=CANCELLED ');
});

withCluster('memory that ran out is told as that', async () => {
  // this cluster watches over no memory: squeue says it in place of what it knows
  const shims = shimFolder(place.folder);
  shims.write('squeue', [
    `${realCommand('squeue')} "$@" | sed 's/|FAILED|NonZeroExitCode|/|OUT_OF_MEMORY|OutOfMemory|/'; exit`,
  ]);
  const [first, second] = toyChain([2, 2, 1]);
  const toys: Toy[] = [{ ...first, act: 'exit', on: [1], until: 1 }, second];
  const result = await run(toys, { workers: 1, slurm: { commandEnvironment: { PATH: shims.path } } });
  expect(result.complete).toBe(true);
  expect(named('worker-end')).toContainEqual(
    expect.objectContaining({
      cause: 'out-of-memory',
      reason: expect.stringMatching(/: OUT_OF_MEMORY, exit status 3$/),
    }),
  );
});

withCluster('a submit limit means waiting and trying with fewer', async () => {
  const shims = shimFolder(place.folder);
  // at most two of ours at once, as a QOS may have it
  shims.write('sbatch', [
    'script=$(cat)',
    `count=$(echo "$script" | sed -n 's/^#SBATCH --array=0-\\([0-9]*\\)$/\\1/p'); count=$((\${count:-0} + 1))`,
    `there=$(${realCommand('squeue')} -h -r | wc -l)`,
    'if [ $((there + count)) -gt 2 ]; then echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2',
    'echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user\'s size and/or time limits)" >&2',
    'exit 1; fi',
    `echo "$script" | ${realCommand('sbatch')} "$@"; exit`,
  ]);
  const toys = toyChain([4, 4, 2], 100);
  const result = await run(toys, { workers: 5, slurm: { commandEnvironment: { PATH: shims.path } } });
  expect(result).toMatchObject({ complete: true, failures: [] });
  const notices = named('executor-notice').map(({ message }) => String(message));
  expect(notices[0]).toMatch(
    /^no more jobs are taken for now, \d will be tried again: sbatch: .*QOSMaxSubmitJobPerUserLimit/s,
  );
  expect(notices).toContainEqual(expect.stringMatching(/^submitted (2 slurm jobs|slurm job): /));
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'workers-waiting', reason: 'no more jobs are taken for now' }),
  );
  // never more than the limit
  expect(notices.filter((text) => /^submitted [3-9] slurm jobs/.test(text))).toEqual([]);
  expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
});

withCluster('arrays and queues of a cluster that takes few jobs: never more than it takes', async () => {
  // jobs that have ended count as long as they are remembered
  const small = await Cluster.start({ lines: ['MaxArraySize=2', 'MaxJobCount=3', 'MinJobAge=2'] });
  try {
    const toys = toyChain([4, 4, 2], 100);
    const result = await run(toys, { executor: toyJobs(small.env) });
    expect(result).toMatchObject({ complete: true, failures: [] });
    const notices = named('executor-notice').map(({ message }) => String(message));
    expect(notices).toContainEqual(
      expect.stringMatching(/^no more jobs are taken for now, .*: sbatch: .*temporarily unable to accept job/),
    );
    const submitted = jobLines(place.run).flatMap(({ jobs }) => (jobs === undefined ? [] : [jobs.length]));
    expect(Math.max(...submitted)).toBe(2);
    expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
    expect(small.jobs()).toEqual([]);
  } finally {
    await small.stop();
  }
});

withCluster('a coordinator that is killed: the next cancels its jobs, and ends with the same bytes', async () => {
  const toys = toyChain([4, 4, 2], 300);
  const script = join(import.meta.dirname, '../support/toy-coordinator.js');
  const play = { shape: [4, 4, 2], milliseconds: 300, slurm: cluster.env };
  const start = (killed?: ToyCoordinator['killed']) => {
    const argument = JSON.stringify({ ...play, killed } satisfies ToyCoordinator);
    const child = spawn(process.execPath, [script, place.run, place.output, argument], { stdio: 'ignore' });
    return new Promise((resolve) => child.once('close', (status, signal) => resolve(signal ?? status)));
  };
  // there is room for two of its three workers
  const filler = cluster
    .call('sbatch', '--parsable', '--nodes=2', '--exclusive', '--output=/dev/null', '--wrap=sleep 600')
    .trim();
  await until('two nodes are taken', () => cluster.jobs().some((line) => line.includes(' RUNNING ')));
  const first = start({ blocks: 8, milliseconds: 2500 });
  const pending = () => cluster.jobs().filter((line) => line.includes(' PENDING '));
  await until('a job waits', () => existsSync(join(place.run, 'jobs-slurm.jsonl')) && pending().length > 0);
  // it stays so, whatever room there will be
  cluster.call('scontrol', 'hold', pending()[0].split(' ')[0]);
  expect(await first).toBe('SIGKILL');
  const waiting = pending();
  expect(waiting.length).toBeGreaterThan(0);
  expect(await start()).toBe(0);
  for (const line of waiting) {
    const [id] = line.split(' ');
    expect(cluster.call('scontrol', '-o', 'show', 'job', id)).toContain(' JobState=CANCELLED ');
  }
  cluster.call('scancel', filler);
  expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
  const lines = jobLines(place.run);
  const over = lines.filter(({ event }) => event === 'over').map(({ name }) => name);
  expect(new Set(over)).toEqual(new Set(lines.map(({ name }) => name)));
});
