import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chunkSizesFor } from '../../lib/storage/chunk-sizes.js';
import { type DataType, factsOf } from '../../lib/storage/data-type.js';

const product = (values: readonly number[]) => values.reduce((a, b) => a * b, 1);

describe('chunks of a new array', () => {
  test.each([
    [[64, 64, 64], 'uint8', [64, 64, 64], undefined],
    [[64, 64, 64], 'uint64', [32, 64, 64], undefined],
    [[100, 100, 100], 'uint64', [50, 50, 50], undefined],
    [[128, 128, 128], 'uint64', [32, 64, 64], [128, 128, 128]],
    [[250, 250, 250], 'uint64', [50, 50, 50], [250, 250, 250]],
    [[512, 512, 512], 'uint8', [64, 128, 128], [512, 512, 512]],
    [[2, 64, 512, 512], 'float16', [2, 64, 64, 64], [2, 64, 512, 512]],
    // Nothing but 1 divides it: one large chunk rather than slabs of one voxel.
    [[127, 127, 127], 'uint64', [127, 127, 127], undefined],
    [[], 'uint8', [], undefined],
  ] as const)('blocks of %j %s', (block, dataType, chunkShape, shardShape) => {
    expect(chunkSizesFor(block, dataType)).toEqual(
      shardShape === undefined ? { chunkShape } : { chunkShape, shardShape },
    );
  });

  test('divide the block, and a block is at most 8 files', () => {
    const extent = fc.integer({ min: 1, max: 600 });
    const block = fc.array(extent, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(block, fc.constantFrom<DataType>('uint8', 'float16', 'float32', 'uint64'), (shape, dataType) => {
        const { chunkShape, shardShape } = chunkSizesFor(shape, dataType);
        expect(shape.every((size, axis) => size % chunkShape[axis] === 0)).toBe(true);
        const files = product(shape) / product(chunkShape);
        expect(shardShape).toEqual(files > 8 ? shape : undefined);
        const bytes = (of: readonly number[]) => product(of) * factsOf(dataType).storedBytes;
        // Larger than 1 MiB only where no axis has a divisor from 16 on.
        const canBeCut = chunkShape.some((size, axis) => {
          return Array.from({ length: Math.max(0, size - 16) }, (_, i) => i + 16).some(
            (smaller) => shape[axis] % smaller === 0,
          );
        });
        if (bytes(chunkShape) > 2 ** 20) expect(canBeCut).toBe(false);
        // What fits is not cut.
        if (bytes(shape) <= 2 ** 20) expect(chunkShape).toEqual(shape);
      }),
      { seed: 20261122, numRuns: 300 },
    );
  });
});
