import { expect, test } from '@jest/globals';
import { kernelThreads, threadCounts } from '../../lib/workers/thread-counts.js';

test('kernels have the threads that the executor gave', () => {
  for (const threads of [1, 2, 8]) expect(kernelThreads(threadCounts(threads))).toBe(threads);
  expect(kernelThreads({})).toBe(1);
  for (const OMP_NUM_THREADS of ['', '0', '-3', '2.5', '4,2', 'many'])
    expect(kernelThreads({ OMP_NUM_THREADS })).toBe(1);
  expect(kernelThreads({ OMP_NUM_THREADS: '100000' })).toBe(1024);
});
