import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ReadyQueue } from '../../lib/scheduler/ready-queue.js';

test.each([0, 1, 31, 32, 33, 64, 1023, 1024, 1025, 32 ** 3 + 1])(
  'gives all of %d blocks in ascending order',
  (count) => {
    const queue = new ReadyQueue(count);
    expect(queue.take()).toBeUndefined();
    queue.addAll(count);
    expect(queue.length).toBe(count);
    for (let block = 0; block < count; block++) {
      if (queue.take() !== block) throw new Error(`block ${block} did not come when due`);
    }
    expect(queue.take()).toBeUndefined();
    expect(queue.length).toBe(0);
  },
);

test('gives the lowest first, and what was added last after all others', () => {
  const blocks = fc.array(fc.record({ block: fc.nat({ max: 4999 }), action: fc.constantFrom('add', 'last', 'take') }));
  fc.assert(
    fc.property(blocks, (steps) => {
      const queue = new ReadyQueue(5000);
      const [ready, last] = [new Set<number>(), [] as number[]];
      const take = () => {
        const lowest = ready.size > 0 ? Math.min(...ready) : undefined;
        const expected = lowest ?? last.shift();
        if (lowest !== undefined) ready.delete(lowest);
        expect(queue.take()).toBe(expected);
        expect(queue.length).toBe(ready.size + last.length);
        return expected;
      };
      for (const { block, action } of steps) {
        if (action === 'take') take();
        else if (!ready.has(block) && !last.includes(block)) {
          if (action === 'add') {
            queue.add(block);
            ready.add(block);
          } else {
            queue.addLast(block);
            last.push(block);
          }
        }
      }
      while (take() !== undefined);
    }),
    { seed: 13, numRuns: 200 },
  );
});
