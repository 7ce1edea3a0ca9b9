import { BlockwrightError } from '../errors.js';
import type { Connection } from './connection.js';
import { type CallMessage, describeThrown } from './messages.js';

/** Whose call it is. */
export interface ServiceRequest {
  readonly task: string;
  readonly block: number;
  /** From 1. */
  readonly attempt: number;
  readonly workerId: string;
  /**
   * Whether the caller still holds its block. Ask right before making a change lasting: what a lost attempt asked for
   * must not be written after what a later attempt wrote.
   */
  isCurrent(): boolean;
}

/** What a service gives back: data, and bytes of any length. */
export interface ServiceAnswer {
  readonly header?: unknown;
  readonly payload?: Uint8Array;
}

/** One thing a service does, for {@link ServiceRequest} of a block; several answers go out one by one as they are asked for. */
export type ServiceMethod = (
  request: ServiceRequest,
  header: unknown,
  payload: Uint8Array,
) => Promise<ServiceAnswer> | AsyncIterable<ServiceAnswer>;

/** Something that the coordinator's process does for blocks, e.g. a graph store; its methods by name. */
export type Service = Readonly<Record<string, ServiceMethod>>;

/** The block that a call belongs to. */
export interface Caller extends ServiceRequest {
  readonly connection: Connection;
}

/** Items that may be under way before the caller asks for more. */
const WINDOW = 2;

interface Stream {
  credit: number;
  /** Wakes the sender. */
  wake: () => void;
  left: boolean;
}

/**
 * Answers the calls of blocks. A call of an attempt that is over is refused; one that comes while a call of an earlier
 * attempt of its block is still at work waits for that to end, so that nothing old is written over something new.
 */
export class ServiceDesk {
  private readonly atWork = new Map<string, Set<{ readonly attempt: number; readonly ended: Promise<void> }>>();
  private readonly streams = new WeakMap<Connection, Map<number, Stream>>();

  constructor(private readonly services: Readonly<Record<string, Service>>) {}

  /** Never rejects: what goes wrong goes to the caller. */
  async answer(caller: Caller, message: CallMessage, payload: Uint8Array): Promise<void> {
    const key = `${caller.block} ${caller.task}`;
    const others = this.atWork.get(key) ?? new Set();
    this.atWork.set(key, others);
    const earlier = [...others].filter(({ attempt }) => attempt !== caller.attempt).map(({ ended }) => ended);
    let end: () => void = () => undefined;
    const entry = {
      attempt: caller.attempt,
      ended: new Promise<void>((resolve) => {
        end = resolve;
      }),
    };
    others.add(entry);
    try {
      await Promise.all(earlier);
      await this.perform(caller, message, payload);
    } catch (error) {
      caller.connection.send({ type: 'refuse', call: message.call, error: describeThrown(error) });
    } finally {
      others.delete(entry);
      if (others.size === 0) this.atWork.delete(key);
      end();
    }
  }

  /** The caller wants one more item, or none. */
  steer(connection: Connection, call: number, wish: 'next' | 'leave'): void {
    const stream = this.streams.get(connection)?.get(call);
    if (stream === undefined) return;
    if (wish === 'next') stream.credit++;
    else stream.left = true;
    stream.wake();
  }

  private async perform(caller: Caller, message: CallMessage, payload: Uint8Array): Promise<void> {
    const { connection } = caller;
    if (!caller.isCurrent()) throw leaseLost(caller);
    const result = this.find(message)(caller, message.header, payload);
    if (!message.stream) {
      if (!(Symbol.asyncIterator in result)) {
        const answer = await result;
        connection.send({ type: 'answer', call: message.call, header: answer.header ?? null }, answer.payload);
        return;
      }
      throw new BlockwrightError('ERR_PROTOCOL', `${message.service}.${message.method} answers with a stream`);
    }
    await this.sendItems(caller, message.call, Symbol.asyncIterator in result ? result : once(result));
  }

  private async sendItems(caller: Caller, call: number, items: AsyncIterable<ServiceAnswer>): Promise<void> {
    const { connection } = caller;
    const streams = this.streamsOf(connection);
    const stream: Stream = { credit: WINDOW, wake: () => undefined, left: false };
    streams.set(call, stream);
    try {
      for await (const { header, payload } of items) {
        while (stream.credit === 0 && !stream.left && connection.open) {
          await new Promise<void>((resolve) => {
            stream.wake = resolve;
          });
        }
        if (stream.left || !connection.open) return;
        if (!caller.isCurrent()) throw leaseLost(caller);
        stream.credit--;
        connection.send({ type: 'item', call, header: header ?? null }, payload);
        await connection.drained();
      }
      connection.send({ type: 'end', call });
    } finally {
      streams.delete(call);
    }
  }

  private streamsOf(connection: Connection): Map<number, Stream> {
    const known = this.streams.get(connection);
    if (known !== undefined) return known;
    const streams = new Map<number, Stream>();
    this.streams.set(connection, streams);
    // once a connection, not once a call: what waits for a promise stays until the promise settles
    void connection.closed.then(() => {
      for (const stream of streams.values()) stream.wake();
    });
    return streams;
  }

  private find(message: CallMessage): ServiceMethod {
    const { service, method } = message;
    const methods = Object.hasOwn(this.services, service) ? this.services[service] : undefined;
    if (methods !== undefined && Object.hasOwn(methods, method) && typeof methods[method] === 'function') {
      return methods[method];
    }
    throw new BlockwrightError('ERR_PROTOCOL', `no service ${service}.${method}`);
  }
}

async function* once(answer: Promise<ServiceAnswer>): AsyncGenerator<ServiceAnswer> {
  yield await answer;
}

function leaseLost({ task, block, attempt }: ServiceRequest): BlockwrightError {
  return new BlockwrightError('ERR_LEASE_LOST', `attempt ${attempt} at block ${block} of task ${task} is over`);
}
