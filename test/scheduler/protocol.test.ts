import { describe, expect, test } from '@jest/globals';
import { amount } from '../chaos/scale.js';
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
