import { describe, expect, test } from '@jest/globals';
import { encodeFrame, FRAME_LIMIT, type Frame, FrameDecoder, STRANGER_LIMIT } from '../../lib/coordinator/frames.js';
import { codeOf } from '../../lib/errors.js';

const bytesOf = (header: object, payload?: Uint8Array) => Buffer.concat(encodeFrame(header, payload));

function decode(pieces: readonly Uint8Array[], limit = STRANGER_LIMIT): Frame[] {
  const decoder = new FrameDecoder(limit);
  const frames: Frame[] = [];
  for (const piece of pieces) decoder.push(piece, (frame) => frames.push(frame));
  expect(decoder.unfinished).toBe(false);
  return frames;
}

function codeOfPush(bytes: Uint8Array, limit?: number): string | undefined {
  try {
    new FrameDecoder(limit).push(bytes, () => undefined);
  } catch (error) {
    return codeOf(error);
  }
  return undefined;
}

describe('frames', () => {
  const first = { type: 'work', text: 'ä€𝄞', nested: { list: [1, 2.5, null, true] } };
  const payload = Uint8Array.from({ length: 37 }, (_, i) => i * 7);
  const stream = Buffer.concat([bytesOf(first, payload), bytesOf({ type: 'empty' }), bytesOf({}, payload.subarray(3))]);

  test('are read whole, wherever the stream is cut', () => {
    const expected = [
      { header: first, payload },
      { header: { type: 'empty' }, payload: new Uint8Array(0) },
      { header: {}, payload: payload.subarray(3) },
    ];
    for (let cut = 0; cut <= stream.byteLength; cut++) {
      expect(decode([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(expected);
    }
    expect(decode([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  test('have payloads that typed arrays can be laid over', () => {
    const values = BigUint64Array.of(1n, 2n ** 64n - 1n);
    const [frame] = decode([bytesOf({ odd: 'header' }, new Uint8Array(values.buffer))]);
    expect(frame.payload.byteOffset).toBe(0);
    expect(new BigUint64Array(frame.payload.buffer)).toEqual(values);
  });

  test('are bounded: the length alone is enough to refuse', () => {
    expect(codeOfPush(Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toBe('ERR_PROTOCOL');
    expect(codeOfPush(Uint8Array.of(0, 0, 0x10, 1))).toBe('ERR_PROTOCOL');
    expect(codeOfPush(Uint8Array.of(0, 0, 0x10, 1), FRAME_LIMIT)).toBeUndefined();
    expect(codeOfPush(Uint8Array.of(0x04, 0, 0, 1), FRAME_LIMIT)).toBe('ERR_PROTOCOL');
    expect(() => encodeFrame({}, new Uint8Array(FRAME_LIMIT))).toThrow(/expected at most 67108864 bytes/);
  });

  test('with impossible headers are refused', () => {
    const frame = (total: number, length: number, text: string) => {
      const bytes = Buffer.alloc(8 + text.length);
      bytes.writeUInt32BE(total, 0);
      bytes.writeUInt32BE(length, 4);
      bytes.write(text, 8, 'latin1');
      return bytes;
    };
    expect(codeOfPush(frame(4, 1, ''))).toBe('ERR_PROTOCOL');
    expect(codeOfPush(frame(3, 0, ''))).toBe('ERR_PROTOCOL');
    expect(codeOfPush(frame(4, 0, ''))).toBe('ERR_PROTOCOL');
    expect(codeOfPush(frame(6, 2, '{]'))).toBe('ERR_PROTOCOL');
    expect(codeOfPush(frame(7, 3, '"\xff"'))).toBe('ERR_PROTOCOL');
    expect(codeOfPush(frame(6, 2, '{}'))).toBeUndefined();
  });

  test('cannot bring a key __proto__, however it is written', () => {
    for (const text of ['{"a":[{"__proto__":1}]}', '{"\\u005f_proto__":{"x":1}}']) {
      const bytes = Buffer.alloc(8 + text.length);
      bytes.writeUInt32BE(4 + text.length, 0);
      bytes.writeUInt32BE(text.length, 4);
      bytes.write(text, 8);
      expect(codeOfPush(bytes)).toBe('ERR_PROTOCOL');
    }
    expect(decode([bytesOf({ text: '__proto__', other: 'back\\u' })])).toHaveLength(1);
  });

  test('obey a limit that changes between two of them', () => {
    const decoder = new FrameDecoder(64);
    const large = bytesOf({}, new Uint8Array(1000));
    const seen: number[] = [];
    decoder.push(Buffer.concat([bytesOf({ a: 1 }), large]), (frame) => {
      seen.push(frame.payload.byteLength);
      decoder.limit = FRAME_LIMIT;
    });
    expect(seen).toEqual([0, 1000]);
    expect(codeOfPush(large, 64)).toBe('ERR_PROTOCOL');
  });
});
