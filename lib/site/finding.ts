/**
 * What a check thinks of what it found: `doubtful` may work and should be looked at, `absent` is not there and may not be needed.
 */
export type Verdict = 'good' | 'doubtful' | 'wrong' | 'absent';

/** One line of a site's report. */
export interface Finding {
  /** What was looked at, e.g. 'rename'. */
  readonly what: string;
  readonly verdict: Verdict;
  /** What was found, in plain words. */
  readonly found: string;
  /** What to do; there is one wherever something is doubtful or wrong. */
  readonly advice?: string;
}

export const good = (what: string, found: string): Finding => ({ what, verdict: 'good', found });
export const absent = (what: string, found: string): Finding => ({ what, verdict: 'absent', found });
export const doubtful = (what: string, found: string, advice: string): Finding => ({
  what,
  verdict: 'doubtful',
  found,
  advice,
});
export const wrong = (what: string, found: string, advice: string): Finding => ({
  what,
  verdict: 'wrong',
  found,
  advice,
});
