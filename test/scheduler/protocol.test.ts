import { describe, expect, test } from '@jest/globals';
import { amount, isLong } from '../chaos/scale.js';
import { explore, type Flaw } from './protocol-model.js';

// fault 20: every order in which the steps of a small run, its crashes and its late messages can come

const sizes = { workers: 2, crashes: amount(1, 2), duplicates: 1 };

describe('leases, fencing, commits and resume', () => {
  test(
    `2 workers, 3 blocks, ${sizes.crashes} crashes, 1 message twice: no state breaks a promise`,
    () => {
      const { states, steps, violation } = explore(sizes);
      console.log(`fault 20: ${states} states, ${steps} steps`);
      expect(violation).toBeUndefined();
      expect(states).toBeGreaterThan(1000);
    },
    amount(120_000, 3_600_000),
  );

  // many more orders: crashes and leases that come back meet in the long form
  const ahead = { workers: 2, crashes: 1, duplicates: 1, blocks: 'fork', ahead: 2, returns: 1 } as const;

  test.each(
    isLong
      ? [ahead]
      : [
          { ...ahead, duplicates: 0, returns: 0 },
          { ...ahead, crashes: 0 },
        ],
  )(
    'the same with leases ahead: %j',
    (options) => {
      const { states, steps, violation } = explore(options);
      console.log(`fault 20: ${states} states, ${steps} steps with leases ahead`);
      expect(violation).toBeUndefined();
      expect(states).toBeGreaterThan(1000);
    },
    amount(120_000, 3_600_000),
  );

  test.each<[Flaw, RegExp]>([
    ['returned and kept', /at work twice/],
    ['unbegun counts as never leased', /at work twice/],
    ['lost lease kept', /stands still/],
    ['no fence', /was believed, but holds no lease/],
  ])('a planted flaw is found with leases ahead: %s', (flaw, what) => {
    const { violation } = explore({ ...ahead, flaw });
    expect(violation?.what).toMatch(what);
  });

  test.each<[Flaw, RegExp]>([
    ['no fence', /was believed, but holds no lease/],
    ['result before output', /is done before its output/],
    ['lost lease kept', /stands still/],
    ['journal before mark', /acknowledged (without a mark|and is lost)/],
    ['resume forgets', /acknowledged and is lost|is done already/],
  ])('a planted flaw is found: %s', (flaw, what) => {
    const { violation } = explore({ ...sizes, crashes: 1, flaw });
    expect(violation?.what).toMatch(what);
  });
});
