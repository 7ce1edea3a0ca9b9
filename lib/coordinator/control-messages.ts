import { z } from 'zod';
import { BlockwrightError } from '../errors.js';
import type { Message } from './connection.js';

/*
 * What people ask of a run, over a connection of their own. Each request has one answer; the next may be sent then.
 *
 *     client       status | explain-run | explain-block {task, block} | stop | abandon | retry {task?, block?, roi?}
 *     coordinator  answer {answer} | refuse {error}
 */

const TASK = z.string().min(1).max(80);
const BLOCK = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const VECTOR = z.array(z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)).min(1).max(6);

const REQUEST = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('status') }),
  z.strictObject({ type: z.literal('explain-run') }),
  z.strictObject({ type: z.literal('explain-block'), task: TASK, block: BLOCK }),
  z.strictObject({ type: z.literal('stop') }),
  z.strictObject({ type: z.literal('abandon') }),
  z.strictObject({
    type: z.literal('retry'),
    task: TASK.optional(),
    block: BLOCK.optional(),
    roi: z.strictObject({ offset: VECTOR, shape: VECTOR }).optional(),
  }),
]);

export type ControlRequest = z.infer<typeof REQUEST>;

/** What a retry is about: everything that failed, that of a task, one block, or blocks that meet a Roi (world units). */
export interface RetryRequest {
  readonly task?: string | undefined;
  readonly block?: number | undefined;
  readonly roi?: { readonly offset: readonly number[]; readonly shape: readonly number[] } | undefined;
}

/** Throws ERR_PROTOCOL for what no client says. */
export function parseControlRequest(message: Message): ControlRequest {
  const parsed = REQUEST.safeParse(message);
  if (parsed.success) return parsed.data;
  throw new BlockwrightError('ERR_PROTOCOL', `control request: ${z.prettifyError(parsed.error)}`);
}
