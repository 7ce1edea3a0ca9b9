import { z } from 'zod';
import { BlockwrightError } from '../errors.js';
import { BLOCK_COST } from './block-cost.js';
import type { Message } from './connection.js';

/*
 * What a worker and the coordinator say to each other once they know each other.
 *
 *     coordinator  welcome {epoch, tasks, heartbeatSeconds} + the worker's config as JSON
 *     worker       work {results, acquire, held, newest, begun, returned, host}
 *                                                   in one frame: the results of blocks, in the order of their leases; the
 *                                                   wish for one more lease, how many it holds then, and the newest that
 *                                                   came to it where others are on their way; the lease that it begins
 *                                                   now; leases that it gives back unbegun, the newest first
 *     coordinator  lease {blocks}                   in answer to `acquire`, as soon as there are any
 *     coordinator  return {count}                   give back so many unbegun leases, or as many as there are: a `work`
 *                                                   with `returned` is the answer
 *     worker       call {call, lease, service, method, header, stream} + payload
 *     coordinator  answer {call, header} + payload | item {call, header} + payload ... end {call} | refuse {call, error}
 *     worker       next {call} | leave {call}       for one more item; for no more of them
 *     worker       drain                            it takes no more blocks, and ends soon
 *     coordinator  stop                             finish the block at work, give the others back, then end
 *     coordinator  cancel                           give up the block at work
 *     worker       heartbeat {running, host, memory}  on its own connection; the lease at work, 0 for none; bytes held
 *
 * A worker asks for its next lease when it begins the first block of the newest, so that it need not wait; where blocks that are
 * leased alone are over sooner than a message comes, for one more with each result, so that one is always on its way. It says which
 * block it begins where that matters: one that was tried before, one that is leased alone, and in signs of life. The result
 * of a block that was named so is sent before another block begins; so the lease named last is at work while it is held.
 */

const LEASE = z.number().int().nonnegative();
const TEXT_LIMIT = 65536;

const THROWN = z.object({
  message: z.string().max(TEXT_LIMIT),
  stack: z.string().max(TEXT_LIMIT),
  code: z.string().max(200).optional(),
});

/** Something that was thrown, as data. */
export type Thrown = z.infer<typeof THROWN>;

const RESULT = z.discriminatedUnion('outcome', [
  z.strictObject({
    lease: LEASE,
    outcome: z.enum(['done', 'skipped']),
    seconds: z.number().nonnegative(),
    cost: BLOCK_COST.optional(),
  }),
  // not begun, or not finished in time; no fault of the block
  z.strictObject({ lease: LEASE, outcome: z.literal('given-back') }),
  z.strictObject({
    lease: LEASE,
    outcome: z.literal('error'),
    seconds: z.number().nonnegative(),
    cost: BLOCK_COST.optional(),
    error: THROWN,
  }),
]);

export type BlockResult = z.infer<typeof RESULT>;

const HOST = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/);

const WORK = z.strictObject({
  type: z.literal('work'),
  results: z.array(RESULT).max(4096),
  acquire: z.boolean(),
  held: LEASE.optional(),
  newest: LEASE.optional(),
  begun: LEASE.optional(),
  returned: z.array(LEASE).max(4096).optional(),
  host: HOST.optional(),
});

export type WorkMessage = z.infer<typeof WORK>;

const CALL = z.strictObject({
  type: z.literal('call'),
  call: LEASE,
  lease: LEASE,
  service: z.string().max(200),
  method: z.string().max(200),
  header: z.unknown(),
  stream: z.boolean(),
  payloadBytes: z.number().optional(),
});

export type CallMessage = z.infer<typeof CALL>;

const FROM_WORKER = z.discriminatedUnion('type', [
  WORK,
  CALL,
  z.strictObject({ type: z.literal('drain') }),
  z.strictObject({ type: z.literal('next'), call: LEASE }),
  z.strictObject({ type: z.literal('leave'), call: LEASE }),
]);

export type WorkerMessage = z.infer<typeof FROM_WORKER>;

const HEARTBEAT = z.strictObject({
  type: z.literal('heartbeat'),
  running: LEASE,
  memory: z.number().nonnegative().optional(),
  host: HOST.optional(),
});

/** One leased block, as it travels. */
export interface LeasedBlock {
  /** Names the lease on its connection, ascending in the order in which the worker shall run them. */
  readonly lease: number;
  /** Index in the welcome's list of tasks. */
  readonly task: number;
  readonly block: number;
  /** From 1. */
  readonly attempt: number;
}

/** Throws ERR_PROTOCOL for what no worker says. */
export function parseWorkerMessage(message: Message): WorkerMessage {
  return parse(FROM_WORKER, message);
}

/** The lease at work, the machine, and the bytes of memory that the worker holds. Throws ERR_PROTOCOL for what is no sign of life. */
export function parseHeartbeat(message: Message): z.infer<typeof HEARTBEAT> {
  return parse(HEARTBEAT, message);
}

function parse<T>(schema: z.ZodType<T>, message: Message): T {
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  // what was found may be long
  throw new BlockwrightError(
    'ERR_PROTOCOL',
    `message ${message.type.slice(0, 100)}: ${cut(z.prettifyError(parsed.error))}`,
  );
}

/** Anything thrown as data that fits a message. */
export function describeThrown(thrown: unknown): Thrown {
  const fields = typeof thrown === 'object' && thrown !== null ? (thrown as Record<string, unknown>) : {};
  const message = cut(String('message' in fields ? fields.message : thrown));
  const stack = typeof fields.stack === 'string' ? fields.stack : message;
  const described = { message, stack: cut(stack + causesOf(fields.cause, message)) };
  return typeof fields.code === 'string' ? { ...described, code: fields.code.slice(0, 200) } : described;
}

/** The causes of an error, without those that its message tells already and that come from nowhere in JavaScript. */
function causesOf(cause: unknown, told: string, depth = 0): string {
  if (cause === undefined || cause === null || depth > 4) return '';
  const fields = typeof cause === 'object' ? (cause as Record<string, unknown>) : {};
  const text = String(fields.stack ?? cause);
  const rest = causesOf(fields.cause, told, depth + 1);
  return told.includes(String(fields.message ?? cause)) && !text.includes('\n') ? rest : `\ncaused by: ${text}${rest}`;
}

function cut(text: string): string {
  return text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT - 4)} ...`;
}
