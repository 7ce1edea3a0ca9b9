import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '../errors.js';
import { TRIALS, type Trial } from './behaviour-trials.js';
import { type Finding, wrong } from './finding.js';
import type { SiteCheck } from './site-check.js';

/** Folders that a check makes and removes again begin with this. */
export const TEMPORARY_PREFIX = '.blockwright-doctor-';

/** What runs need of a file system, tried out in a folder of its own, which is removed again. */
export const behaviourCheck: SiteCheck = {
  subject: 'behaviour of the folder',
  look: async ({ folder }) => {
    let own: string;
    try {
      own = await mkdtemp(join(folder, TEMPORARY_PREFIX));
    } catch (error) {
      return { findings: [wrong('writing', describe(error), `Take a folder that can be written to: ${folder}`)] };
    }
    try {
      return { findings: await tryOut(own, TRIALS) };
    } finally {
      await rm(own, { recursive: true, force: true, maxRetries: 3 });
    }
  },
};

/** Tries one after the other; what a trial throws is its finding. */
export async function tryOut(folder: string, trials: readonly Trial[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { what, need, run } of trials) {
    try {
      findings.push(await run(folder, what));
    } catch (error) {
      findings.push(wrong(what, describe(error), need));
    }
  }
  return findings;
}

function describe(error: unknown): string {
  const code = codeOf(error);
  const message = messageOf(error).split('\n', 1)[0];
  return code === undefined || message.includes(code) ? message : `${code}: ${message}`;
}
