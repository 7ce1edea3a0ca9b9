import type { Socket } from 'node:net';
import { BlockwrightError, messageOf } from '../errors.js';
import { encodeFrame, FRAME_LIMIT, FrameDecoder, STRANGER_LIMIT } from './frames.js';

/** Payload bytes in one frame; a larger payload travels in several. */
const PART = 8 * 1024 * 1024;
/** Payload bytes that one message may have in all its parts. */
export const MESSAGE_LIMIT = 2 ** 31;

/** A header always says what kind of message it is. */
export interface Message {
  readonly type: string;
  readonly [key: string]: unknown;
}

type Receiver = (message: Message, payload: Uint8Array) => void;

interface Unfinished {
  readonly message: Message;
  readonly payload: Uint8Array;
  filled: number;
}

/**
 * Messages over a socket. What arrives before {@link receive} has been called waits. A peer that sends what is not a
 * message is disconnected; `closed` then holds the reason.
 */
export class Connection {
  /** Resolves when the connection is over, with the reason if it was not the peer's orderly end. */
  readonly closed: Promise<Error | undefined>;
  /** Whether the peer ended it, in order. */
  left = false;
  private readonly decoder = new FrameDecoder(STRANGER_LIMIT);
  private readonly waiting: [Message, Uint8Array][] = [];
  private receiver: Receiver | undefined;
  private unfinished: Unfinished | undefined;
  private failure: Error | undefined;
  private trusted = false;

  constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.take(bytes));
    socket.on('error', (error) => {
      this.failure ??= error;
      // a secured socket does not close by itself when what came cannot be trusted
      socket.destroy();
    });
    socket.on('end', () => {
      this.left = true;
      socket.destroy();
    });
    this.closed = new Promise((resolve) => socket.on('close', () => resolve(this.failure)));
  }

  get open(): boolean {
    return !this.socket.destroyed;
  }

  /** Lifts the limits once the peer has proved who it is. */
  trust(): void {
    this.trusted = true;
    this.decoder.limit = FRAME_LIMIT;
  }

  /** Sets who gets the messages; those that waited come first. */
  receive(receiver: Receiver): void {
    this.receiver = receiver;
    this.refusing(() => {
      while (this.waiting.length > 0 && this.receiver === receiver) {
        const [message, payload] = this.waiting.shift()!;
        receiver(message, payload);
      }
    });
  }

  /** The next message alone; rejects with the reason when the connection ends first. */
  next(): Promise<{ message: Message; payload: Uint8Array }> {
    return new Promise((resolve, reject) => {
      this.receive((message, payload) => {
        this.receiver = undefined;
        resolve({ message, payload });
      });
      void this.closed.then((reason) =>
        reject(reason ?? new BlockwrightError('ERR_PROTOCOL', 'the connection was closed')),
      );
    });
  }

  /** Sends a message; what is sent after the connection's end is dropped. Returns false when bytes queue up. */
  send(message: Message, payload?: Uint8Array): boolean {
    if (!this.open) return true;
    if (payload === undefined || payload.byteLength <= PART) return this.write(message, payload);
    if (payload.byteLength > MESSAGE_LIMIT) {
      throw new BlockwrightError(
        'ERR_LIMIT',
        `message ${message.type}: expected a payload of at most ${MESSAGE_LIMIT} bytes, found ${payload.byteLength}`,
      );
    }
    let flowing = this.write({ ...message, payloadBytes: payload.byteLength }, payload.subarray(0, PART));
    for (let at = PART; at < payload.byteLength; at += PART) {
      flowing = this.write({ type: 'part' }, payload.subarray(at, at + PART));
    }
    return flowing;
  }

  /** Resolves when queued bytes have gone out, or the connection is over. */
  drained(): Promise<void> {
    if (!this.open || !this.socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.socket.off('drain', done);
        this.socket.off('close', done);
        resolve();
      };
      this.socket.on('drain', done);
      this.socket.on('close', done);
    });
  }

  /** Lets queued bytes go out, then closes. */
  end(): void {
    this.socket.end();
  }

  /** Closes at once. */
  destroy(reason?: Error): void {
    this.failure ??= reason;
    this.socket.destroy();
  }

  private write(message: Message, payload?: Uint8Array): boolean {
    const buffers = encodeFrame(message, payload);
    if (buffers.length === 1) return this.socket.write(buffers[0]);
    this.socket.cork();
    const flowing = buffers.map((buffer) => this.socket.write(buffer)).every(Boolean);
    this.socket.uncork();
    return flowing;
  }

  private take(bytes: Uint8Array): void {
    // answers to what came together go out together
    this.socket.cork();
    this.refusing(() =>
      this.decoder.push(bytes, ({ header, payload }) => {
        if (this.open) this.assemble(asMessage(header), payload);
      }),
    );
    this.socket.uncork();
  }

  /** What its receiver throws for a message ends the connection, as what is no message does. */
  private refusing(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  private assemble(message: Message, payload: Uint8Array): void {
    if (this.unfinished === undefined && message.payloadBytes === undefined) {
      this.deliver(message, payload);
      return;
    }
    // memory for all parts is taken at the first
    if (!this.trusted) throw new BlockwrightError('ERR_PROTOCOL', 'a message in parts from a stranger');
    this.unfinished ??= { message, payload: new Uint8Array(payloadBytes(message)), filled: 0 };
    const whole = this.unfinished;
    if (
      whole.filled > 0 !== (message.type === 'part') ||
      payload.byteLength > whole.payload.byteLength - whole.filled
    ) {
      throw new BlockwrightError('ERR_PROTOCOL', `message ${message.type}: not the next part of ${whole.message.type}`);
    }
    whole.payload.set(payload, whole.filled);
    whole.filled += payload.byteLength;
    if (whole.filled < whole.payload.byteLength) return;
    this.unfinished = undefined;
    this.deliver(whole.message, whole.payload);
  }

  private deliver(message: Message, payload: Uint8Array): void {
    if (this.receiver === undefined) this.waiting.push([message, payload]);
    else this.receiver(message, payload);
  }
}

function asMessage(header: unknown): Message {
  if (typeof header === 'object' && header !== null && 'type' in header && typeof header.type === 'string') {
    return header as Message;
  }
  throw new BlockwrightError('ERR_PROTOCOL', 'message: expected an object with a type');
}

function payloadBytes(message: Message): number {
  const bytes = message.payloadBytes;
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes <= 0 || bytes > MESSAGE_LIMIT) {
    throw new BlockwrightError('ERR_PROTOCOL', `message ${message.type}: impossible payloadBytes ${String(bytes)}`);
  }
  return bytes;
}
