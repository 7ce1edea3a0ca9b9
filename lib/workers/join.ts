import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { authenticateToCoordinator, type Peer } from '../coordinator/authentication.js';
import { Connection } from '../coordinator/connection.js';
import type { Credentials } from '../coordinator/control-folder.js';
import type { NetworkAddress } from '../coordinator/network-address.js';
import { connectSecurely, isInsecure } from '../coordinator/secure-socket.js';
import { BlockwrightError, codeOf } from '../errors.js';

/** Milliseconds in which a coordinator must have answered; long, because it may be stopped for a while. */
const PATIENCE = 120_000;
/** Milliseconds for each of several addresses, before any is waited for longer. */
const FIRST_TRY = 3000;

/** A connection to the coordinator, and what to try first for the next one. */
export interface Joined {
  readonly connection: Connection;
  readonly credentials: Credentials;
}

/**
 * Opens a connection to the coordinator, each side having proved to the other that it knows the key: over the Unix socket where the
 * coordinator is on this host, else over the first of its addresses that leads to it. Throws what went wrong on the last way.
 */
export async function join(credentials: Credentials, peer: Peer): Promise<Joined> {
  const ways = waysTo(credentials);
  let failure: unknown;
  // an address may lead nowhere, or to somebody else
  for (const patience of ways.length > 1 ? [FIRST_TRY, PATIENCE / ways.length] : [PATIENCE]) {
    for (const { open, first } of ways) {
      try {
        return { connection: await attempt(open(), credentials.key, peer, patience), credentials: first };
      } catch (error) {
        // of several, what the coordinator's own address said tells most
        if (codeOf(failure) !== 'ERR_AUTHENTICATION') failure = error;
      }
    }
  }
  throw failure ?? new BlockwrightError('ERR_AUTHENTICATION', 'the coordinator can be reached from its host only');
}

interface Way {
  open(): Socket;
  /** The credentials with this way before the others. */
  readonly first: Credentials;
}

function waysTo(credentials: Credentials): Way[] {
  const { socket, key, host, hostToo = false, addresses = [] } = credentials;
  const ways = addresses.map((way: NetworkAddress): Way => {
    const others = addresses.filter((other) => other !== way);
    return { open: () => connectSecurely(way, key), first: { ...credentials, addresses: [way, ...others] } };
  });
  // another host may have the same name: then nobody listens at this path
  const near = (host === undefined || host === hostname()) && !hostToo;
  return near ? [{ open: () => connect(socket), first: credentials }, ...ways] : ways;
}

async function attempt(socket: Socket, key: string, peer: Peer, patience: number): Promise<Connection> {
  const connection = new Connection(socket);
  const timer = setTimeout(() => connection.destroy(new Error('the coordinator does not answer')), patience);
  try {
    await authenticateToCoordinator(connection, key, peer);
    return connection;
  } catch (error) {
    connection.destroy();
    if (!isInsecure(error)) throw error;
    throw new BlockwrightError(
      'ERR_AUTHENTICATION',
      'authentication: the peer has another key, or what was sent was changed',
      {},
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}
