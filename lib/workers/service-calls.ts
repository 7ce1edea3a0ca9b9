import type { Connection, Message } from '../coordinator/connection.js';
import type { Thrown } from '../coordinator/messages.js';
import { BlockwrightError, ERROR_CODES, type ErrorCode } from '../errors.js';

/** What a service in the coordinator answered. */
export interface CallAnswer {
  readonly header: unknown;
  /** Begins its own buffer. */
  readonly payload: Uint8Array;
}

/** What a call asks for. */
export interface CallRequest {
  readonly lease: number;
  readonly service: string;
  readonly method: string;
  readonly header: unknown;
  readonly payload: Uint8Array | undefined;
}

interface Waiting {
  take(item: CallAnswer): void;
  end(): void;
  refuse(error: Error): void;
}

/** The calls of this worker's blocks to services in the coordinator. */
export class ServiceCalls {
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;

  constructor(private readonly connection: Connection) {}

  /** Takes a message if it belongs to a call. */
  hear(message: Message, payload: Uint8Array): void {
    const call = this.waiting.get(Number(message.call));
    if (call === undefined) return;
    if (message.type === 'refuse') call.refuse(asError(message.error as Thrown));
    else if (message.type === 'end') call.end();
    else call.take({ header: message.header, payload });
  }

  /** One answer. */
  call(request: CallRequest): Promise<CallAnswer> {
    const id = this.next++;
    return new Promise<CallAnswer>((resolve, reject) => {
      this.waiting.set(id, { take: resolve, end: () => undefined, refuse: reject });
      this.send(id, request, false);
    }).finally(() => this.waiting.delete(id));
  }

  /** Answers one by one; few are under way at a time, and leaving the loop ends the service's work. */
  async *stream(request: CallRequest): AsyncGenerator<CallAnswer> {
    const id = this.next++;
    const items: CallAnswer[] = [];
    let over = false;
    let failure: Error | undefined;
    let wake: () => void = () => undefined;
    this.waiting.set(id, {
      take: (item) => {
        items.push(item);
        wake();
      },
      end: () => {
        over = true;
        wake();
      },
      refuse: (error) => {
        over = true;
        failure = error;
        wake();
      },
    });
    try {
      this.send(id, request, true);
      for (;;) {
        const item = items.shift();
        if (item !== undefined) {
          this.connection.send({ type: 'next', call: id });
          yield item;
        } else if (over) {
          if (failure !== undefined) throw failure;
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.waiting.delete(id);
      if (!over) this.connection.send({ type: 'leave', call: id });
    }
  }

  private send(call: number, { lease, service, method, header, payload }: CallRequest, stream: boolean): void {
    this.connection.send({ type: 'call', call, lease, service, method, header: header ?? null, stream }, payload);
  }
}

function asError({ message, stack, code }: Thrown): Error {
  const cause = stack === message ? undefined : { stack };
  if ((ERROR_CODES as readonly string[]).includes(code ?? '')) {
    return new BlockwrightError(code as ErrorCode, message, {}, { cause });
  }
  return Object.assign(new Error(message, { cause }), code === undefined ? {} : { code });
}
