import { randomBytes } from 'node:crypto';
import { encodeFrame } from '../../lib/coordinator/frames.js';

/** Values that no field expects, as JSON text. */
const STRANGE = [
  'null',
  'NaN',
  '-1',
  '1.5',
  '1e308',
  '-1e999',
  '9007199254740993',
  '""',
  '"x"',
  '[]',
  '{}',
  'true',
  '[null]',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"toString":1,"valueOf":1,"hasOwnProperty":1}',
  '"\\u0000\\ud800"',
  `"${'x'.repeat(300)}"`,
  '['.repeat(200) + ']'.repeat(200),
];

/** What peers may say, of every kind. */
const SAMPLES: readonly object[] = [
  { type: 'hello', version: 1, role: 'worker', workerId: '1.0', nonce: 'a'.repeat(64) },
  { type: 'proof', proof: 'b'.repeat(64) },
  { type: 'work', results: [{ lease: 1, outcome: 'done', seconds: 1 }], acquire: true },
  {
    type: 'work',
    results: [{ lease: 1, outcome: 'error', seconds: 0, error: { message: 'm', stack: 's' } }],
    acquire: false,
  },
  { type: 'call', call: 1, lease: 1, service: 'toy', method: 'echo', header: null, stream: false },
  { type: 'next', call: 1 },
  { type: 'leave', call: 1 },
  { type: 'drain' },
  { type: 'heartbeat', running: 1 },
];

/** A frame around any text in the place of its header. */
export function frameOf(header: string, payload = 0): Buffer {
  const text = Buffer.from(header, 'utf8');
  const bytes = Buffer.alloc(8 + text.byteLength + payload);
  bytes.writeUInt32BE(4 + text.byteLength + payload, 0);
  bytes.writeUInt32BE(text.byteLength, 4);
  text.copy(bytes, 8);
  return bytes;
}

/** A message of some kind with one of its fields changed, left out or added. */
export function strangeMessage(random: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const sample = JSON.stringify(pick(SAMPLES));
  // the places of values, keys and all, in the text
  const places = [...sample.matchAll(/"(\w+)":("[^"]*"|[\d.]+|true|false|null)/g)];
  const place = pick(places);
  const before = sample.slice(0, place.index);
  const after = sample.slice(place.index + place[0].length);
  switch (Math.floor(random() * 4)) {
    case 0:
      return `${before}"${pick(['__proto__', 'constructor', 'extra', place[1]])}":${pick(STRANGE)}${after}`;
    case 1:
      return `${before}${place[0]},"${pick(['__proto__', 'constructor', 'payloadBytes'])}":${pick(STRANGE)}${after}`;
    default:
      return `${before}"${place[1]}":${pick(STRANGE)}${after}`;
  }
}

/** Bytes that no peer sends: of no sense, of impossible lengths, strange messages. */
export function hostileBytes(random: () => number): Buffer {
  switch (Math.floor(random() * 6)) {
    case 0:
      return randomBytes(1 + Math.floor(random() * 300));
    case 1:
      // 4 GiB, and nearly
      return Buffer.concat([Buffer.of(0xff, 0xff, 0xff, 0xff - Math.floor(random() * 2)), randomBytes(20)]);
    case 2:
      return frameOf(`{"type":"hello","big":"${'x'.repeat(5000)}"}`);
    case 3: {
      const bytes = Buffer.concat(encodeFrame(SAMPLES[Math.floor(random() * SAMPLES.length)]));
      bytes[Math.floor(random() * bytes.byteLength)] ^= 1 << Math.floor(random() * 8);
      return bytes;
    }
    default:
      return frameOf(strangeMessage(random), random() < 0.2 ? 16 : 0);
  }
}
