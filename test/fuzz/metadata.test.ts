import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MetadataFuzzer } from './metadata-fuzzer.js';

// `npm run fuzz` goes on with other seeds.
const SEED = 1;
const EXECUTIONS = 400;

let fuzzer: MetadataFuzzer;
beforeAll(async () => {
  fuzzer = await MetadataFuzzer.create();
});
afterAll(() => fuzzer.remove());

test('hostile metadata is refused by name or read, and nothing outside the store is', async () => {
  const counts = new Map<string, number>();
  for (let number = 0; number < EXECUTIONS; number += 1) {
    for (const outcome of await fuzzer.run(fuzzer.make(SEED, number))) {
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
  }
  // Otherwise the loop does not reach what it is there for.
  for (const outcome of ['read', 'ERR_METADATA', 'ERR_UNSUPPORTED']) expect(counts.get(outcome)).toBeGreaterThan(10);
  expect(counts.get('ERR_METADATA')).toBeLessThan(0.8 * EXECUTIONS);
});

test('a case depends on its numbers alone', async () => {
  const one = fuzzer.make(SEED, 7);
  await fuzzer.run(fuzzer.make(SEED, 8));
  expect(fuzzer.make(SEED, 7)).toEqual(one);
  expect(fuzzer.make(SEED, 8)).not.toEqual(one);
});
