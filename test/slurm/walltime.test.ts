import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { processesOf, until } from '../support/processes.js';
import { journalOf, outputHash, type Toy, toyFolder, toyPlan, toyRun } from '../support/toy-run.js';
import { Cluster, noCluster } from './cluster.js';
import { jobOf, toyJobs } from './toy-jobs.js';

const reason = noCluster();
if (reason !== undefined) console.warn(`tests on a SLURM cluster are left out: ${reason}`);
const withCluster = reason === undefined ? test : test.skip;

let cluster: Cluster;
beforeAll(async () => {
  if (reason === undefined) cluster = await Cluster.start();
});
afterAll(async () => {
  await cluster?.stop();
  expect(cluster?.left() ?? []).toEqual([]);
});

/** Which worker has begun a block, by its entry in the journal or its log. */
const workerOf = (log: string) => /worker (\d+\.\d+)/.exec(readFileSync(log, 'utf8'))?.[1];

withCluster(
  'before its time is over a worker gives its block back; one that does not is ended, which is no fault of the block',
  async () => {
    const place = toyFolder();
    const folder = new RunFolder(place.run);
    const toys: Toy[] = [
      { name: 'gives', plan: toyPlan([3]), act: 'wait', on: [0], until: 1, maxRetries: 0 },
      { name: 'keeps', plan: toyPlan([3]), act: 'hang', on: [0], until: 1, maxRetries: 0 },
    ];
    // blocks of the two tasks run side by side, and each of the two holds one worker
    const run = toyRun(place, toys, {
      executor: toyJobs(cluster.env, { time: '10', warnSeconds: 4 }),
      workers: 2,
      maxLosses: 1,
    });
    const logs = toys.map(({ name }) => folder.blockLog(name, 0));
    await until('both blocks are held', () => logs.every((log) => existsSync(log) && workerOf(log) !== undefined));
    const [gives, keeps] = logs.map((log) => jobOf(place.run, workerOf(log)!));
    // SLURM looks at its clock every half a minute: it warns up to so much too early, and ends up to so much too late
    cluster.call('scontrol', 'update', `JobId=${gives}`, 'EndTime=now+33');
    cluster.call('scontrol', 'update', `JobId=${keeps}`, 'EndTime=now+1');
    expect(await run).toMatchObject({ complete: true, failures: [] });
    const journal = journalOf(place.run);
    const named = (name: string) => journal.filter(({ event }) => event === name);
    expect(named('block-given-back')).toMatchObject([{ task: 'gives', block: 0 }]);
    expect(named('block-lost')).toMatchObject([{ task: 'keeps', block: 0, willRetry: true }]);
    expect(named('block-failed')).toEqual([]);
    expect(named('worker-end').map(({ reason, cause }) => `${reason} ${cause}`)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(`^slurm job ${gives} on n\\d: COMPLETED undefined$`),
        expect.stringMatching(`^slurm job ${keeps} on n\\d: TIMEOUT.* walltime$`),
      ]),
    );
    const other = toyFolder();
    const plain = toys.map(({ name, plan }) => ({ name, plan }));
    await toyRun(other, plain);
    expect(outputHash(place.output, plain)).toBe(outputHash(other.output, plain));
    await until('no job is left', () => cluster.jobs().length === 0);
    await until('all processes have ended', () => processesOf(place.run).length === 0);
    other.remove();
    place.remove();
  },
);
