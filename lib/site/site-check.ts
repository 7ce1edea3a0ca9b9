import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.js';
import type { Ask } from './command-answer.js';
import { type Finding, wrong } from './finding.js';
import type { SiteFacts } from './site-facts.js';

/** What checks look at. */
export interface Surroundings {
  /** An existing folder, absolute. */
  readonly folder: string;
  readonly ask: Ask;
}

export interface Observation {
  readonly findings: readonly Finding[];
  readonly facts?: SiteFacts | undefined;
}

/** One look at the site. It may throw or never end: that is a finding too. */
export interface SiteCheck {
  /** Findings are shown below this, e.g. 'memory'. */
  readonly subject: string;
  look(surroundings: Surroundings): Promise<Observation>;
}

/** Findings of one subject. */
export interface Section {
  readonly subject: string;
  readonly findings: readonly Finding[];
}

export interface SiteReport {
  readonly sections: readonly Section[];
  readonly facts: SiteFacts;
}

/** Makes all checks, one after the other, so that they do not disturb each other's times. Never throws. */
export async function makeChecks(
  checks: readonly SiteCheck[],
  surroundings: Surroundings,
  seconds = 120,
): Promise<SiteReport> {
  const sections: Section[] = [];
  let facts: SiteFacts = {};
  for (const check of checks) {
    const { findings, facts: more } = await lookOnce(check, surroundings, seconds);
    sections.push({ subject: check.subject, findings });
    facts = { ...facts, ...more };
  }
  return { sections, facts };
}

async function lookOnce(check: SiteCheck, surroundings: Surroundings, seconds: number): Promise<Observation> {
  const done = new AbortController();
  const late = delay(seconds * 1000, undefined, { signal: done.signal }).then(
    () => unable(`no answer within ${seconds} s`),
    () => unable('stopped'),
  );
  try {
    return await Promise.race([check.look(surroundings), late]);
  } catch (error) {
    return unable(messageOf(error));
  } finally {
    done.abort();
  }
}

const unable = (reason: string): Observation => ({
  findings: [wrong('check', `could not be made: ${reason}`, 'Look at what the reason names, then check again')],
});
