import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { processesOf } from '../support/processes.js';
import { journalOf, type Toy, toyFolder, toyPlan, toyRun } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(() => {
  expect(processesOf(place.run)).toEqual([]);
  place.remove();
});

/** The worst that blocks can do: each that is begun takes all its time, ends its worker with it, and comes to nothing. */
test('a run whose blocks all hang, and one whose blocks all end their workers, end with the tries that the bound has', async () => {
  const [retries, maxLosses, blockTimeout, leaseSeconds, graceSeconds, workers] = [1, 2, 0.5, 2, 1, 2];
  const toys: Toy[] = [
    { name: 'hangs', plan: toyPlan([3]), act: 'hang', maxRetries: retries, blockTimeoutSeconds: blockTimeout },
    { name: 'exits', plan: toyPlan([3]), act: 'exit', maxRetries: retries, blockTimeoutSeconds: blockTimeout },
    { name: 'after', plan: toyPlan([3]), upstream: ['hangs', 'exits'] },
  ];
  const result = await toyRun(place, toys, { workers, maxLosses, leaseSeconds, graceSeconds });
  expect(result).toMatchObject({ complete: false, interrupted: false });
  const [hangs, exits, after] = result.tasks;
  expect(hangs).toMatchObject({ failed: 3, errors: 3 * (retries + 1) });
  expect(exits).toMatchObject({ failed: 3 });
  expect(after).toMatchObject({ orphaned: 3, attempts: 0 });
  const ends = journalOf(place.run).filter(({ event }) => event === 'worker-end').length;
  for (const { attempts, errors, lost, givenBack, total } of [hangs, exits]) {
    expect(attempts).toBe(errors + lost + givenBack);
    // without blame at most once for each end of a worker and each failed attempt
    const shared = ends + errors;
    expect(attempts).toBeLessThanOrEqual(total * (retries + 1 + (maxLosses - 1)) + shared);
  }
  // docs/runs.md, "When a run ends at the latest"
  const tries = retries + 1 + (maxLosses - 1);
  const loss = 120 + leaseSeconds + 11;
  const bound = (6 * tries * (blockTimeout + loss)) / workers + 20 * 10 + graceSeconds + 11;
  expect(result.seconds).toBeLessThan(bound);
});
