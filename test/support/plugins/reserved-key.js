import { z } from 'zod';

export default {
  type: 'toy-reserved',
  description: 'Wants a key that every task has',
  options: z.strictObject({ retries: z.int() }),
  plan() {},
  async processBlock() {},
};
