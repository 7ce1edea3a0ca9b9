import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isLong } from '../chaos/scale.js';
import {
  blocksDone,
  journalFaults,
  leftovers,
  outputFiles,
  runUndisturbed,
  startRun,
} from '../integration/disturbed-run.js';
import { makeSegmentation, resultHashes, totalBlocks } from '../integration/segmentation.js';
import { processesOf, until } from '../support/processes.js';
import { journalOf } from '../support/toy-run.js';
import { Cluster, noCluster } from './cluster.js';

const reason = noCluster();
if (reason !== undefined) console.warn(`tests on a SLURM cluster are left out: ${reason}`);
const withCluster = reason === undefined ? test : test.skip;

// the long form is the whole example, as `npm run demo` has it
const options = isLong ? {} : { size: [100, 72, 70], blockSize: [32, 32, 32], context: [8, 8, 8] };

// all nodes are this host
const executor = '{type: slurm, workers: 6, pollSeconds: 1, listen: {address: 127.0.0.1, hostToo: true}}';

let cluster: Cluster;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-slurm-'));
  if (reason === undefined) cluster = await Cluster.start();
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(cluster?.left() ?? []).toEqual([]);
});

withCluster(
  'the example on three nodes, one of which fails and then the coordinator too: the bytes of a local run',
  async () => {
    const calm = await makeSegmentation(join(folder, 'calm'), options);
    let began = performance.now();
    await runUndisturbed(calm, 2);
    const local = (performance.now() - began) / 1000;

    const there = await makeSegmentation(join(folder, 'slurm'), options);
    appendFileSync(there.file, `executor: ${executor}\n`);
    const total = totalBlocks(there);
    began = performance.now();
    let command = startRun(there, 6, cluster.env);
    const atLeast = async (blocks: number) => {
      while (!command.over() && blocksDone(there.runDirectory) < blocks) await delay(20);
      expect(command.over()).toBe(false);
    };
    await atLeast(total / 6);
    cluster.powerOff(1);
    // else the controller finds out by itself, in half a minute
    if (!isLong) cluster.call('scontrol', 'update', 'NodeName=n1', 'State=DOWN', 'Reason=test');
    await atLeast(total / 3);
    command.process.kill('SIGKILL');
    await command.ended;
    command = startRun(there, 6, cluster.env);
    const status = await command.ended;
    const slurm = (performance.now() - began) / 1000;
    expect({ status, text: status === 0 ? '' : command.text() }).toEqual({ status: 0, text: '' });

    expect(await resultHashes(there)).toEqual(await resultHashes(calm));
    // a worker that is cut off by force is not killed by us, its blocks may be under way twice
    expect(journalFaults(there, { workers: 6, coordinators: 1 })).toEqual([]);
    await until('no job is left', () => cluster.jobs().length === 0);
    await until('all processes have ended', () => processesOf(there.runDirectory).length === 0);
    expect(leftovers(there, outputFiles(calm))).toEqual([]);
    const ends = journalOf(there.runDirectory).filter(({ event }) => event === 'worker-end');
    const jobs = journalOf(there.runDirectory).filter(({ event }) => event === 'worker-start').length;
    console.log(
      `fault 12: ${total} blocks, ${local.toFixed(0)} s with 2 local workers, ${slurm.toFixed(0)} s with ${jobs} jobs, of which ` +
        `${ends.filter(({ cause }) => cause === 'node-failure').length} ended with NODE_FAIL; the same bytes`,
    );
  },
  600_000,
);
