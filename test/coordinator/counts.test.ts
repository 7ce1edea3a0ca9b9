import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { RunEvent } from '../../lib/coordinator/events.js';
import { readRunStatus } from '../../lib/coordinator/run-status.js';
import { chaosSeed } from '../chaos/scale.js';
import { processesOf, until } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import { journalOf, type Toy, toyFolder, toyPlan, toyRun } from '../support/toy-run.js';

let place: ReturnType<typeof toyFolder>;
beforeEach(() => {
  place = toyFolder();
});
afterEach(async () => {
  await until('all processes have ended', () => processesOf(place.run).length === 0);
  place.remove();
});

const seed = chaosSeed(20261127);

test(`journal, events, result and record count alike, whatever goes wrong (seed ${seed})`, async () => {
  const random = seededRandom(seed);
  const some = () => Array.from({ length: 40 }, (_, block) => block).filter(() => random() < 0.08);
  const plan = toyPlan([40]);
  const toys: Toy[] = [
    { name: 'throws', plan, act: 'throw', on: some(), until: 1 + Math.floor(random() * 4) },
    { name: 'ends', plan, act: 'exit', on: some().slice(0, 3), until: 1 + Math.floor(random() * 4) },
    { name: 'skips', plan, act: 'skip', on: some(), upstream: ['throws'] },
    { name: 'stops', plan, act: 'print-and-die', on: some().slice(0, 2), upstream: ['ends'] },
  ];
  const events: RunEvent[] = [];
  const options = { workers: 3, onEvent: (event: RunEvent) => events.push(event), freeSpace: { minimumBytes: 0 } };
  const first = await toyRun(place, toys, options);
  const journal = journalOf(place.run);
  const count = (list: readonly { readonly [key: string]: unknown }[], key: string, what: string, task: string) =>
    list.filter((one) => one[key] === what && one.task === task).length;
  for (const result of first.tasks) {
    const { name, total, done, skipped, failed, orphaned, attempts, retried, errors, lost, givenBack } = result;
    expect(done + skipped + failed + orphaned).toBe(total);
    expect(attempts).toBe(done + skipped + errors + lost + givenBack);
    // each block that began counts once, every further attempt is one more try
    expect(attempts - retried).toBe(done + skipped + failed);
    const booked = { done, skipped, errors, lost, givenBack, failed };
    const inJournal = {
      done: count(journal, 'event', 'block-done', name),
      skipped: count(journal, 'event', 'block-skipped', name),
      errors: count(journal, 'event', 'block-failed', name),
      lost: count(journal, 'event', 'block-lost', name),
      givenBack: count(journal, 'event', 'block-given-back', name),
      failed: count(journal, 'event', 'block-given-up', name),
    };
    expect(inJournal).toEqual(booked);
    const told = events as unknown as Record<string, unknown>[];
    expect({
      done: count(told, 'type', 'block-done', name),
      skipped: count(told, 'type', 'block-skipped', name),
      errors: count(told, 'type', 'block-failed', name),
      lost: count(told, 'type', 'block-lost', name),
    }).toEqual({ done, skipped, errors, lost });
    expect(readRunStatus(place.run)?.tasks.find((task) => task.name === name)).toMatchObject({
      ...{ total, done, skipped, failed, orphaned },
    });
    // user errors and losses are counted apart: each has its own limit
    const own = (event: string) =>
      journal.filter((entry) => entry.event === event && entry.task === name && entry.counts === true);
    for (const [event, most] of [
      ['block-failed', 3],
      ['block-lost', 3],
    ] as const) {
      const times = new Map<unknown, number>();
      for (const { block } of own(event)) times.set(block, (times.get(block) ?? 0) + 1);
      expect(Math.max(0, ...times.values())).toBeLessThanOrEqual(most);
    }
  }
});
