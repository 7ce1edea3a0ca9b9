import { timingSafeEqual } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { messageOf } from '../errors.js';
import type { Interface } from './site-facts.js';

/** Where this host can be called back. */
export interface CallBackAddress extends Interface {
  readonly port: number;
}

/** How a call went. */
export interface CallBack extends CallBackAddress {
  /** Why it failed. */
  readonly error?: string | undefined;
  /** Milliseconds by which the caller's clock is ahead of the host's, to half of `roundTrip`. */
  readonly skew?: number | undefined;
  /** Milliseconds. */
  readonly roundTrip?: number | undefined;
}

const PATIENCE = 5_000;
const MOST_CALLERS = 64;

/**
 * Waits for calls from nodes, on given addresses only, never on all. A caller that knows the token is told the time of day, anybody
 * else nothing.
 */
export class CallBackListener {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly servers: readonly Server[],
    readonly addresses: readonly CallBackAddress[],
    /** Addresses on which nothing could listen, and why. */
    readonly refused: readonly string[],
  ) {}

  static async open(interfaces: readonly Interface[], token: string): Promise<CallBackListener> {
    const servers: Server[] = [];
    const addresses: CallBackAddress[] = [];
    const refused: string[] = [];
    let listener: CallBackListener | undefined;
    for (const one of interfaces) {
      const server = createServer((socket) => {
        if (listener === undefined) socket.destroy();
        else listener.receive(socket, token);
      });
      server.maxConnections = MOST_CALLERS;
      try {
        addresses.push({ ...one, port: await listen(server, one.address) });
        servers.push(server);
      } catch (error) {
        refused.push(`${one.name} ${one.address}: ${messageOf(error)}`);
      }
    }
    listener = new CallBackListener(servers, addresses, refused);
    return listener;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private receive(socket: Socket, token: string): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.setTimeout(PATIENCE, () => socket.destroy());
    const expected = Buffer.from(`${token}\n`);
    let received = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.byteLength < expected.byteLength) return;
      if (received.byteLength === expected.byteLength && timingSafeEqual(received, expected)) {
        socket.end(`${Date.now()}\n`);
      } else socket.destroy();
    });
  }
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: 0 }, () => {
      server.on('error', () => undefined);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** Calls a host back. Never rejects. */
export function callBack(where: CallBackAddress, token: string, milliseconds = PATIENCE): Promise<CallBack> {
  return new Promise((resolve) => {
    const socket = connect({ host: where.address, port: where.port });
    let sent = 0;
    let begin = 0;
    let text = '';
    const end = (result: Partial<CallBack>) => {
      socket.destroy();
      resolve({ ...where, ...result });
    };
    socket.setTimeout(milliseconds, () => end({ error: `no answer within ${milliseconds / 1000} s` }));
    socket.once('error', (error) => end({ error: messageOf(error) }));
    socket.once('connect', () => {
      sent = Date.now();
      begin = performance.now();
      socket.write(`${token}\n`);
    });
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    socket.once('end', () => {
      const roundTrip = performance.now() - begin;
      const time = /^\d+\n$/.test(text) ? Number(text) : undefined;
      if (time === undefined) end({ error: 'something else answered' });
      else end({ roundTrip, skew: sent + roundTrip / 2 - time });
    });
  });
}
