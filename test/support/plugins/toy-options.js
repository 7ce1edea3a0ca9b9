// A task that shows every form that an option can have; used to test messages about pipeline files.
import { z } from 'zod';
import { arrayName, graphName, lutPath } from '../../../dist/lib/workers/option-types.js';

export default {
  type: 'toy-options',
  description: 'Does nothing, with many options',
  options: z
    .strictObject({
      input: arrayName(),
      others: z.array(arrayName()).optional(),
      graph: graphName().optional().describe('The graph'),
      lut: lutPath().optional(),
      blockSize: z.array(z.int().positive()).min(1).max(6),
      fit: z.enum(['valid', 'overhang', 'shrink']).default('shrink'),
      threshold: z.number().min(0).max(1).optional(),
      mode: z.union([z.number(), z.strictObject({ sigma: z.array(z.number()), order: z.int().optional() })]).optional(),
      scores: z.record(z.string(), z.array(z.array(z.int()))).optional(),
      low: z.number().optional(),
      high: z.number().optional(),
    })
    .refine(({ low = 0, high = 1 }) => low < high, { path: ['low'], message: 'expected low below high' }),
  plan() {
    throw new Error('not for planning');
  },
  async processBlock() {},
};
