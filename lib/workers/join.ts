import { connect } from 'node:net';
import { authenticateToCoordinator, type Peer } from '../coordinator/authentication.js';
import { Connection } from '../coordinator/connection.js';
import type { Credentials } from '../coordinator/control-folder.js';

/** Milliseconds in which a coordinator must have answered; long, because it may be stopped for a while. */
const PATIENCE = 120_000;

/** Opens a connection to the coordinator, each side having proved to the other that it knows the key. */
export async function join({ socket, key }: Credentials, peer: Peer): Promise<Connection> {
  const connection = new Connection(connect(socket));
  const timer = setTimeout(() => connection.destroy(new Error('the coordinator does not answer')), PATIENCE);
  try {
    await authenticateToCoordinator(connection, key, peer);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
