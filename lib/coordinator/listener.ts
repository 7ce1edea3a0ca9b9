import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Server as SecureServer } from 'node:tls';
import { BlockwrightError, messageOf } from '../errors.js';
import { authenticateClient, type Peer } from './authentication.js';
import { Connection } from './connection.js';
import { type ListenOptions, listenAddresses, type NetworkAddress } from './network-address.js';
import { isGone, isInsecure, keepAlive, secureServer } from './secure-socket.js';

/** Connections that have not yet proved to know the key, at once. */
const STRANGERS = 128;
/** Milliseconds that they have for it. */
const PATIENCE = 10_000;

/** Who has not yet proved to know the key. */
interface Stranger {
  readonly since: number;
  destroy(): void;
}

export interface ListenerOptions {
  /** Path of the Unix socket. */
  readonly socket: string;
  /** The run's key. */
  readonly key: string;
  /** Where else to listen, over TCP. @default nowhere */
  readonly network?: readonly ListenOptions[] | undefined;
  readonly now: () => number;
  onPeer(peer: Peer, connection: Connection): void;
  /** Somebody who knows the key came over this address, the first over any; the listener listens on no other from now on. */
  readonly onProved?: ((address: NetworkAddress) => void) | undefined;
}

/**
 * Lets those in who know the run's key. Anybody else is disconnected and counted, and disturbs nobody: few bytes are read
 * from strangers, for a short time, from a limited number.
 */
export class Listener {
  /** Connections that were refused while the run needed workers; not those that left before they were answered. */
  refused = 0;
  private counting = true;
  private proved = false;
  private numbered = 0;
  /** Longest here first. */
  private readonly strangers = new Map<string, Stranger>();
  private readonly connections = new Set<Connection>();
  private readonly host: Server;
  private readonly secure: SecureServer;
  private readonly network = new Map<Server, NetworkAddress>();

  constructor(private readonly options: ListenerOptions) {
    this.host = createServer((socket) => void this.admit(socket, `${this.numbered++}`));
    this.secure = secureServer(
      options.key,
      (socket) => void this.admit(socket, endpointsOf(socket)),
      () => this.count(),
    );
  }

  /** Where it listens over TCP. */
  get addresses(): NetworkAddress[] {
    return [...this.network.values()];
  }

  /** Throws ERR_CONFIG when it can listen on none of the addresses that were asked for. */
  async open(): Promise<void> {
    await listen(this.host, { path: this.options.socket });
    this.countErrors(this.host);
    const places = new Map<string, { host: string; port: number }>();
    for (const network of this.options.network ?? []) {
      const { port = 0 } = network;
      for (const host of listenAddresses(network)) places.set(`${host} ${port}`, { host, port });
    }
    const failures: unknown[] = [];
    for (const place of places.values()) {
      const server = createServer((socket) => this.secureFirst(socket));
      try {
        await listen(server, place);
        const { address, port } = server.address() as AddressInfo;
        this.network.set(server, { address, port });
        this.countErrors(server);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0 && this.network.size === 0) {
      const what = failures.map(messageOf).join('; ');
      throw new BlockwrightError('ERR_CONFIG', `listen: no address can be used: ${what}`, {}, { cause: failures[0] });
    }
  }

  /** Refuses a connection. */
  refuse(connection: Connection): void {
    this.count();
    connection.destroy();
  }

  /** From now on workers that are being ended may hang up in the midst of anything. */
  stopCounting(): void {
    this.counting = false;
  }

  /** Ends the patience with strangers; to be called now and then. */
  tick(): void {
    for (const stranger of this.strangers.values()) {
      if (this.options.now() - stranger.since > PATIENCE) stranger.destroy();
    }
  }

  async close(): Promise<void> {
    for (const stranger of this.strangers.values()) stranger.destroy();
    for (const connection of this.connections) connection.destroy();
    const servers = [this.host, ...this.network.keys()];
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }

  /** A connection from the network: first its peer must know the key to the secured connection. */
  private secureFirst(socket: Socket): void {
    socket.on('error', () => undefined);
    const name = endpointsOf(socket);
    const stranger = {
      since: this.options.now(),
      destroy: () => {
        this.strangers.delete(name);
        this.count();
        socket.destroy();
      },
    };
    this.addStranger(name, stranger);
    socket.once('close', () => {
      // what was wrong has been counted; who left may be the owner, whose question a suspended coordinator did not answer
      if (this.strangers.get(name) === stranger) this.strangers.delete(name);
    });
    keepAlive(socket);
    this.secure.emit('connection', socket);
  }

  /** @param name under which it may have been a stranger already */
  private async admit(socket: Socket, name: string): Promise<void> {
    const connection = new Connection(socket);
    const since = this.strangers.get(name)?.since ?? this.options.now();
    this.addStranger(name, { since, destroy: () => connection.destroy() });
    this.connections.add(connection);
    let known = false;
    void connection.closed.then((reason) => {
      this.connections.delete(connection);
      this.strangers.delete(name);
      // somebody in between changed what was sent
      if (known && isInsecure(reason)) this.count();
    });
    try {
      const peer = await authenticateClient(connection, this.options.key);
      this.strangers.delete(name);
      known = true;
      // where people ask from says nothing of where workers come from
      if (peer.role !== 'control') this.prove(socket);
      this.options.onPeer(peer, connection);
    } catch (error) {
      // a worker that ended while it introduced itself is no stranger, nor is who gave up waiting for the answer
      if (connection.left || isGone(error)) connection.destroy();
      else this.refuse(connection);
    }
  }

  private addStranger(name: string, stranger: Stranger): void {
    // who knows the key is a stranger for a moment only: the longest here is the least likely to
    if (!this.strangers.has(name) && this.strangers.size >= STRANGERS) {
      const [[oldest, { destroy }]] = this.strangers;
      destroy();
      this.strangers.delete(oldest);
    }
    this.strangers.set(name, stranger);
  }

  /** The first over the network shows which address reaches the workers' hosts; there is no need to be open to others. */
  private prove({ localAddress, localPort }: Socket): void {
    if (this.proved) return;
    for (const { address, port } of this.network.values()) {
      if (address === localAddress && port === localPort) this.proved = true;
    }
    if (!this.proved) return;
    for (const [server, { address, port }] of this.network) {
      if (address === localAddress && port === localPort) continue;
      server.close();
      this.network.delete(server);
    }
    this.options.onProved?.(this.addresses[0]);
  }

  private count(): void {
    if (this.counting) this.refused++;
  }

  /** Too many open files, and the like: that connection is lost, the run goes on. */
  private countErrors(server: Server): void {
    server.on('error', () => this.count());
  }
}

async function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog: 512 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Both ends of a TCP connection: no other has the same while it lasts. */
function endpointsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
