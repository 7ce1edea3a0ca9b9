import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { BlockwrightError } from '../errors.js';
import type { Connection, Message } from './connection.js';

/** Raised when either side would misunderstand the other. */
const PROTOCOL_VERSION = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 32;

/** What a connection is for: a worker's messages, the sign of life of its own thread, or questions and orders of people. */
export type PeerRole = 'worker' | 'heartbeat' | 'control';

export interface Peer {
  readonly role: PeerRole;
  readonly workerId: string;
}

/** A key of 256 random bits, as hexadecimal digits. */
export function newKey(): string {
  return randomBytes(KEY_BYTES).toString('hex');
}

/**
 * Both sides prove that they know the run's key, without sending it: each signs (HMAC-SHA256) both nonces, the peer's role and
 * id and a label of its own side, so that a proof can be neither replayed nor sent back to its maker.
 *
 *     client  hello {version, role, workerId, nonce}
 *     server  challenge {nonce, proof}
 *     client  proof {proof}
 *
 * This is the server's half. Throws ERR_AUTHENTICATION and says nothing to the peer.
 */
export async function authenticateClient(connection: Connection, key: string): Promise<Peer> {
  const hello = expect(await connection.next(), 'hello');
  const { role, workerId, version, nonce } = hello;
  if (version !== PROTOCOL_VERSION || !isRole(role) || !isWorkerId(workerId)) {
    throw refusal('a greeting that this version does not understand');
  }
  if (!isNonce(nonce)) throw refusal('a greeting without a nonce');
  const own = randomBytes(NONCE_BYTES).toString('hex');
  const peer: Peer = { role, workerId };
  connection.send({ type: 'challenge', nonce: own, proof: prove('coordinator', key, peer, nonce, own) });
  const answer = expect(await connection.next(), 'proof');
  checkProof(answer.proof, prove('client', key, peer, nonce, own));
  // who asks has little to say: the limits of strangers are enough
  if (role !== 'control') connection.trust();
  return peer;
}

/** The client's half: proves to know the key, and checks that the other side does. */
export async function authenticateToCoordinator(connection: Connection, key: string, peer: Peer): Promise<void> {
  const own = randomBytes(NONCE_BYTES).toString('hex');
  connection.send({ type: 'hello', version: PROTOCOL_VERSION, ...peer, nonce: own });
  const challenge = expect(await connection.next(), 'challenge');
  if (!isNonce(challenge.nonce)) throw refusal('a challenge without a nonce');
  checkProof(challenge.proof, prove('coordinator', key, peer, own, challenge.nonce));
  connection.trust();
  connection.send({ type: 'proof', proof: prove('client', key, peer, own, challenge.nonce) });
}

function isRole(value: unknown): value is PeerRole {
  return value === 'worker' || value === 'heartbeat' || value === 'control';
}

/** Whether a text can be a worker's id: it becomes part of file names. */
export function isWorkerId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value);
}

function isNonce(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function prove(side: string, key: string, peer: Peer, clientNonce: string, serverNonce: string): string {
  const text = ['blockwright', PROTOCOL_VERSION, side, peer.role, peer.workerId, clientNonce, serverNonce].join('\n');
  return createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex');
}

function checkProof(found: unknown, expected: string): void {
  const right = Buffer.from(expected, 'hex');
  const given = isNonce(found) ? Buffer.from(found, 'hex') : Buffer.alloc(0);
  if (given.byteLength !== right.byteLength || !timingSafeEqual(given, right)) throw refusal('a wrong proof');
}

function expect({ message, payload }: { message: Message; payload: Uint8Array }, type: string): Message {
  if (message.type !== type || payload.byteLength > 0) throw refusal(`a message other than ${type}`);
  return message;
}

function refusal(what: string): BlockwrightError {
  return new BlockwrightError('ERR_AUTHENTICATION', `authentication: the peer sent ${what}`);
}
