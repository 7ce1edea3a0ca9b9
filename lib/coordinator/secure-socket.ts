import { constants, createHmac } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createServer, type Server } from 'node:tls';
import { codeOf } from '../errors.js';
import type { NetworkAddress } from './network-address.js';

/**
 * TLS 1.2 with a pre-shared key and a fresh key exchange each time: both sides know that the other has the run's key, nobody in
 * between can read, change, leave out or repeat anything, and what was recorded stays secret when the key becomes known.
 */
const PROTECTION = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  // no sessions that go on without a key exchange, no new handshakes within a connection
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const;

/** Milliseconds after which the system looks whether a silent peer is still there. */
const KEEP_ALIVE = 30_000;

/** Of the run's key, which signs the challenge, TLS gets something made. */
function presharedKey(key: string): Buffer {
  return createHmac('sha256', Buffer.from(key, 'hex')).update('blockwright tls').digest();
}

/**
 * Gives the secured socket of every connection whose peer knows the key; connections are handed to it as its event 'connection'.
 * @param onInsecure somebody has another key, or sent what is no handshake; not who left in the midst of it
 */
export function secureServer(key: string, onSecured: (socket: Socket) => void, onInsecure: () => void): Server {
  const psk = presharedKey(key);
  const server = createServer({ ...PROTECTION, pskCallback: () => psk }, onSecured);
  server.on('tlsClientError', (error, socket) => {
    if (isInsecure(error)) onInsecure();
    socket.destroy();
  });
  return server;
}

/** A secured socket to a coordinator; what is written waits until it is secure. */
export function connectSecurely({ address, port }: NetworkAddress, key: string): Socket {
  const psk = presharedKey(key);
  const socket = connect({
    ...PROTECTION,
    host: address,
    port,
    pskCallback: () => ({ psk, identity: 'worker' }),
    // there are no certificates: the key is what both sides know each other by
    checkServerIdentity: () => undefined,
  });
  keepAlive(socket);
  return socket;
}

/** Has the system notice that the peer's host is gone, in the end. */
export function keepAlive(socket: Socket): void {
  socket.setKeepAlive(true, KEEP_ALIVE);
}

/** Whether a connection ended because its peer is gone: it did not wait for the answer. */
export function isGone(reason: unknown): boolean {
  const code = codeOf(reason);
  return code === 'EPIPE' || code === 'ECONNRESET';
}

/** Whether a secured connection ended because its peer has another key, or because what came was not what was sent. */
export function isInsecure(reason: unknown): boolean {
  const code = codeOf(reason);
  // EPROTO: the same while something waited to be sent
  return code === 'EPROTO' || (code?.startsWith('ERR_SSL') ?? false);
}
