import type { Benchmark } from './benchmark.js';
export const benchmark: Benchmark = {
  name: 'pipeline',
  description: '',
  sizes: {},
  defaultSizes: [],
  async *rows() {},
};
