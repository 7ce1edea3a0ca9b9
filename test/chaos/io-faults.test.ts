import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { seededRandom } from '../support/seeded-random.js';
import { type CalmRun, type FaultyProcess, type IoFault, runCalm, runWithIoFault } from './io-fault.js';
import { chaosSeed, isLong } from './scale.js';
import { buildShim } from './shim.js';

// faults 4 and 5: a run in which one step of input and output goes wrong

const PATIENCE = 3_600_000;
const seed = chaosSeed(20261126);
const random = seededRandom(seed);

let folder = '';
let shim = '';
let reason: string | undefined;
let calm: CalmRun;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-io-faults-'));
  shim = join(folder, 'fault-shim.so');
  reason = buildShim('fault-shim', shim);
  if (reason === undefined) calm = await runCalm(join(folder, 'calm'));
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The run with a fault at one step; false when the process has fewer steps. */
async function fault(process: FaultyProcess, kind: IoFault, at: number): Promise<boolean> {
  const place = join(folder, `${process}-${kind}-${at}`);
  const { happened, faults } = await runWithIoFault(place, shim, { process, kind, at }, calm);
  if (faults.length > 0) throw new Error(`${kind} at step ${at} of ${process} (kept ${place}): ${faults.join('; ')}`);
  rmSync(place, { recursive: true, force: true });
  return happened;
}

/** All steps one after the other, or a few that are drawn from the first `among`. */
async function sweep(process: FaultyProcess, kind: IoFault, few: number, among: number): Promise<number> {
  let happened = 0;
  if (isLong && kind === 'kill') {
    while (await fault(process, kind, happened + 1)) happened++;
  } else {
    const many = isLong ? 25 : few;
    for (let i = 0; i < many; i++) if (await fault(process, kind, 1 + Math.floor(random() * among))) happened++;
  }
  return happened;
}

describe(`a step of input or output (seed ${seed})`, () => {
  for (const [process, among] of [
    ['worker', 60],
    ['run', 200],
  ] as const) {
    test(
      `at which the process is killed loses nothing: ${process}`,
      async () => {
        if (reason !== undefined) return console.warn(`skipped: ${reason}`);
        const happened = await sweep(process, 'kill', 4, among);
        console.log(`fault 4: ${process} killed at ${happened} steps`);
        expect(happened).toBeGreaterThan(0);
      },
      PATIENCE,
    );

    test.each(['EIO', 'ENOSPC', 'EMFILE', 'ESTALE', 'EINTR', 'short'] as const)(
      `that goes wrong with %s is told, and nothing is lost: ${process}`,
      async (kind) => {
        if (reason !== undefined) return console.warn(`skipped: ${reason}`);
        const happened = await sweep(process, kind, 1, kind === 'short' ? 10 : among);
        console.log(`fault 5: ${kind} at ${happened} steps of ${process}`);
      },
      PATIENCE,
    );
  }
});
