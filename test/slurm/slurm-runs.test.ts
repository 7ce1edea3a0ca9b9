import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import type { RunOptions } from '../../lib/coordinator/run.js';
import { BatchExecutor } from '../../lib/executors/batch-executor.js';
import { Slurm, type SlurmOptions } from '../../lib/executors/slurm.js';
import { processesOf, until } from '../support/processes.js';
import { journalOf, outputHash, type Toy, toyChain, toyFolder, toyRun, toyWorker } from '../support/toy-run.js';
import { Cluster, noCluster } from './cluster.js';

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

function executor(options: SlurmOptions = {}): BatchExecutor {
  const { env } = cluster;
  const system = new Slurm({ cpus: 1, ...options, commandEnvironment: { ...env, ...options.commandEnvironment } });
  return new BatchExecutor({
    system,
    command: [process.execPath, toyWorker],
    label: 'toy',
    pollSeconds: 1,
    retrySeconds: 0.5,
  });
}

function run(toys: readonly Toy[], options: Partial<RunOptions> & { slurm?: SlurmOptions } = {}) {
  const { slurm, ...others } = options;
  return toyRun(place, toys, {
    executor: executor(slurm),
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
  const result = await run(toys);
  expect(result).toMatchObject({ complete: true, failures: [] });
  expect(outputHash(place.output, toys)).toBe(await undisturbedHash(toys));
  // one array for all that were started together
  expect(named('executor-notice').map(({ message }) => message)).toEqual([
    expect.stringMatching(/^5 slurm jobs submitted: \d+_0 to \d+_4$/),
  ]);
  const nodes = new Set(endsOf().map((text) => /on (n\d): COMPLETED$/.exec(text)?.[1]));
  expect([...nodes].sort()).toEqual(['n0', 'n1', 'n2']);
  const logs = readdirSync(join(place.run, 'logs')).sort();
  expect(logs).toEqual(
    expect.arrayContaining(['worker-1.0.log', 'worker-1.1.log', 'worker-1.2.log', 'worker-1.3.log', 'worker-1.4.log']),
  );
  // nothing is left open for the next run
  const record = readFileSync(join(place.run, 'jobs-slurm.jsonl'), 'utf8').trim().split('\n');
  expect(record.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
    'submitting',
    'submitted',
    'over',
  ]);
});
