import { createServer, type Server, type Socket } from 'node:net';
import { authenticateClient, type Peer } from './authentication.js';
import { Connection } from './connection.js';
import type { Credentials } from './control-folder.js';

/** Connections that have not yet proved to know the key, at once. */
const STRANGERS = 128;
/** Milliseconds that they have for it. */
const PATIENCE = 10_000;

/**
 * Lets those in who know the run's key. Anybody else is disconnected and counted, and disturbs nobody: few bytes are read
 * from strangers, for a short time, from a limited number.
 */
export class Listener {
  /** Connections that were refused while the run needed workers. */
  refused = 0;
  private counting = true;
  private readonly strangers = new Map<Connection, number>();
  private readonly connections = new Set<Connection>();
  private readonly server: Server;

  constructor(
    private readonly credentials: Credentials,
    private readonly now: () => number,
    private readonly onPeer: (peer: Peer, connection: Connection) => void,
  ) {
    this.server = createServer((socket) => void this.admit(socket));
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ path: this.credentials.socket, backlog: 512 }, resolve);
    });
    // too many open files, and the like: that connection is lost, the run goes on
    this.server.on('error', () => {
      this.refused++;
    });
  }

  /** Refuses a connection. */
  refuse(connection: Connection): void {
    if (this.counting) this.refused++;
    connection.destroy();
  }

  /** From now on workers that are being ended may hang up in the midst of anything. */
  stopCounting(): void {
    this.counting = false;
  }

  /** Ends the patience with strangers; to be called now and then. */
  tick(): void {
    for (const [connection, since] of this.strangers) {
      if (this.now() - since > PATIENCE) connection.destroy();
    }
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async admit(socket: Socket): Promise<void> {
    // who knows the key is a stranger for a moment only: the longest here is the least likely to
    if (this.strangers.size >= STRANGERS) {
      const [oldest] = this.strangers.keys();
      this.strangers.delete(oldest);
      oldest.destroy();
    }
    const connection = new Connection(socket);
    this.strangers.set(connection, this.now());
    this.connections.add(connection);
    void connection.closed.then(() => {
      this.connections.delete(connection);
      this.strangers.delete(connection);
    });
    try {
      const peer = await authenticateClient(connection, this.credentials.key);
      this.strangers.delete(connection);
      this.onPeer(peer, connection);
    } catch {
      // a worker that ended while it introduced itself is no stranger
      if (connection.left) connection.destroy();
      else this.refuse(connection);
    }
  }
}
