import { doubtful, type Finding, good, wrong } from './finding.js';

/** A row of /proc/self/limits: what holds (the soft limit). */
export function parseLimits(text: string): Map<string, number> {
  const rows = text.split('\n').flatMap((line) => {
    const match = /^(Max .+?) {2,}(unlimited|\d+) /.exec(line);
    if (match === null) return [];
    return [[match[1], match[2] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match[2])] as const];
  });
  return new Map(rows);
}

interface Need {
  readonly limit: string;
  readonly what: string;
  /** Below it hardly anything works. */
  readonly least: number;
  /** Below it a large run may not. */
  readonly enough: number;
  readonly advice: string;
}

const NEEDS: readonly Need[] = [
  {
    limit: 'Max open files',
    what: 'open files',
    least: 256,
    enough: 1024,
    advice: 'Raise it (ulimit -n, or its hard limit): the coordinator has two connections to each worker',
  },
  {
    limit: 'Max processes',
    what: 'processes',
    least: 64,
    enough: 512,
    advice: 'Raise it (ulimit -u): each thread of each worker counts',
  },
  {
    limit: 'Max address space',
    what: 'address space',
    least: 4 * 1024 ** 3,
    enough: Number.POSITIVE_INFINITY,
    advice: 'Remove it (ulimit -v unlimited): Node reserves far more addresses than it uses memory',
  },
  {
    limit: 'Max file size',
    what: 'file size',
    least: 1024 ** 3,
    enough: Number.POSITIVE_INFINITY,
    advice: 'Remove it (ulimit -f unlimited): graphs and shards are large files',
  },
];

/**
 * What the limits of processes (ulimits) mean for a run.
 *
 * @param text of /proc/self/limits; '' where there is none
 * @param groupProcesses how many processes its group (container, job) may have
 */
export function limitFindings(text: string, groupProcesses?: number): Finding[] {
  const limits = parseLimits(text);
  return NEEDS.flatMap(({ limit, what, least, enough, advice }) => {
    const own = limits.get(limit);
    const value = limit === 'Max processes' ? Math.min(own ?? Infinity, groupProcesses ?? Infinity) : own;
    if (value === undefined) return [];
    const found = value === Number.POSITIVE_INFINITY ? 'no limit' : `at most ${value}`;
    if (value < least) return [wrong(what, found, advice)];
    return [value < enough ? doubtful(what, found, advice) : good(what, found)];
  });
}
