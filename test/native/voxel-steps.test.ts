import { describe, expect, test } from '@jest/globals';
import { callNative } from '../../lib/native/addon.js';

const good = {
  source: new Uint8Array(12),
  sourceType: 'uint8',
  shape: [3, 4],
  flipped: [1],
  steps: [{ kind: 'affine', to: 'float32', parameters: [1, 2, 1, 3, 1, 4] }],
  target: new Float32Array(20),
  targetShape: [4, 5],
  targetBegin: [1, 1],
  threads: 2,
};

describe('voxelSteps', () => {
  test('writes its box of the target alone', async () => {
    const target = new Float32Array(20).fill(-1);
    await callNative('voxelSteps', { ...good, source: Uint8Array.from({ length: 12 }, (_, i) => i), target });
    expect([...target]).toEqual([
      ...[-1, -1, -1, -1, -1],
      ...[-1, 5, 4, 3, 2],
      ...[-1, 10, 9, 8, 7],
      ...[-1, 15, 14, 13, 12],
    ]);
  });

  test.each<[string, Record<string, unknown>]>([
    ['source', { source: new Uint8Array(11) }],
    ['source', { sourceType: 'uint16' }],
    ['target', { target: new Float64Array(20) }],
    ['type', { sourceType: 'float16' }],
    ['shape', { shape: [3, -4] }],
    ['targetBegin', { targetBegin: [2, 1] }],
    ['targetBegin', { targetBegin: [1] }],
    ['targetBegin', { targetBegin: [-1, 1] }],
    ['targetBegin', { shape: [2 ** 40, 2 ** 40] }],
    ['flipped', { flipped: [2] }],
    ['kind', { steps: [{ kind: 'square', to: 'float32', parameters: [] }] }],
    ['steps', { steps: [{ kind: 'affine', to: 'float32', parameters: [1, 2, 3, 4] }] }],
    ['steps', { steps: [{ kind: 'threshold', to: 'float32', parameters: [1, 0] }] }],
    ['steps', { steps: 7 }],
    ['threads', { threads: 'all' }],
  ])('refuses a wrong %s: %j', async (_, wrong) => {
    await expect(callNative('voxelSteps', { ...good, ...wrong })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_(ARGUMENT|LIMIT)$/),
    });
  });

  test('refuses memory that overlaps', async () => {
    const memory = new ArrayBuffer(100);
    const wrong = { source: new Uint8Array(memory, 79, 12), target: new Float32Array(memory, 0, 20) };
    await expect(callNative('voxelSteps', { ...good, ...wrong })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('apart from the source'),
    });
  });
});
