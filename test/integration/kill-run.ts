/**
 * npm run test:kills: the whole example, once undisturbed and once with workers and the coordinator killed at random, must
 * give the same bytes. Environment: `seed` (of the kills), `WORKER_KILLS`, `COORDINATOR_KILLS`, `SIZE` (voxels an axis from the
 * corner), `BLOCK`. Ends with status 1 when anything differs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { journalFaults, leftovers, outputFiles, runUndisturbed, runWithKills } from './disturbed-run.js';
import { makeSegmentation, resultHashes, totalBlocks } from './segmentation.js';

const number = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise);
const seed = number('seed', Date.now() % 2 ** 31);
const kills = { workers: number('WORKER_KILLS', 20), coordinators: number('COORDINATOR_KILLS', 5) };
const size = process.env.SIZE === undefined ? {} : { size: [0, 0, 0].map(() => number('SIZE', 250)) };
const block = process.env.BLOCK === undefined ? {} : { blockSize: [0, 0, 0].map(() => number('BLOCK', 64)) };
const options = { ...size, ...block };

console.log(`seed ${seed}: ${kills.workers} kills of workers, ${kills.coordinators} of the coordinator`);
const folder = mkdtempSync(join(tmpdir(), 'blockwright-kills-'));
const seconds = (began: number) => `${((performance.now() - began) / 1000).toFixed(1)} s`;
try {
  let began = performance.now();
  const calm = await makeSegmentation(join(folder, 'calm'), options);
  console.log(calm.tasks.map(({ name, blocks }) => `${name} ${blocks}`).join(', '), `: ${totalBlocks(calm)} blocks`);
  await runUndisturbed(calm, 2);
  const expected = await resultHashes(calm);
  console.log(`undisturbed, 2 workers: ${seconds(began)}`);

  began = performance.now();
  const disturbed = await makeSegmentation(join(folder, 'disturbed'), options);
  const run = await runWithKills(disturbed, kills, seed);
  console.log(
    `with kills: ${seconds(began)}, ${run.kills.workers} workers and ${run.kills.coordinators} coordinators killed, ` +
      `${run.starts} starts, ${run.incomplete} ended with failed blocks; acknowledged at the kills: ${run.acknowledged.join(', ')}`,
  );
  const found = await resultHashes(disturbed);
  for (const [name, hash] of Object.entries(expected)) {
    console.log(`${name.padEnd(12)} ${hash} ${found[name] === hash ? 'equal' : `DIFFERS: ${found[name]}`}`);
  }
  const faults = [
    ...Object.keys(expected).filter((name) => found[name] !== expected[name]),
    ...journalFaults(disturbed, run.kills),
    ...leftovers(disturbed, outputFiles(calm)),
    ...leftovers(calm, outputFiles(calm)),
  ];
  for (const fault of faults) console.error(`FAULT ${fault}`);
  if (faults.length === 0) console.log('nothing was lost, computed again or left behind');
  else process.exitCode = 1;
} finally {
  if (process.env.KEEP === undefined) rmSync(folder, { recursive: true, force: true });
  else console.log(`kept ${folder}`);
}
