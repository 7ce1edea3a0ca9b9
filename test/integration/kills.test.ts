import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { journalFaults, type Kills, leftovers, outputFiles, runUndisturbed, runWithKills } from './disturbed-run.js';
import { makeSegmentation, resultHashes, type Segmentation, totalBlocks } from './segmentation.js';

// npm run test:kills draws its own
const seed = Number(process.env.seed ?? 1433951900);
const options = { size: [100, 72, 70], blockSize: [32, 32, 32], context: [8, 8, 8] };
/** Milliseconds; a busy machine may need them. */
const PATIENCE = 300_000;
const none: Kills = { workers: 0, coordinators: 0 };

let folder = '';
let calm: Segmentation;
let expected: Record<string, string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-kills-'));
  calm = await makeSegmentation(join(folder, 'calm'), options);
  await runUndisturbed(calm, 1);
  expected = await resultHashes(calm);
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(
  'four workers write the bytes of one, and the same command again writes nothing',
  async () => {
    const segmentation = await makeSegmentation(join(folder, 'four'), options);
    expect(totalBlocks(segmentation)).toBe(4 * 36 + 1);
    await runUndisturbed(segmentation, 4);
    expect(await resultHashes(segmentation)).toEqual(expected);
    expect(journalFaults(segmentation, none)).toEqual([]);
    await runUndisturbed(segmentation, 2);
    expect(await resultHashes(segmentation)).toEqual(expected);
    expect(journalFaults(segmentation, none)).toEqual([]);
    expect(leftovers(segmentation, outputFiles(calm))).toEqual([]);
  },
  PATIENCE,
);

test(
  `20 kills of workers and 5 of the coordinator change no byte and leave nothing behind (seed ${seed})`,
  async () => {
    const segmentation = await makeSegmentation(join(folder, 'disturbed'), options);
    const { kills, starts } = await runWithKills(segmentation, { workers: 20, coordinators: 5 }, seed);
    expect(kills.workers).toBeGreaterThanOrEqual(20);
    expect(kills.coordinators).toBeGreaterThanOrEqual(5);
    expect(starts).toBeGreaterThanOrEqual(6);
    expect(await resultHashes(segmentation)).toEqual(expected);
    expect(journalFaults(segmentation, kills)).toEqual([]);
    expect(leftovers(segmentation, outputFiles(calm))).toEqual([]);
  },
  PATIENCE,
);
