// A plugin: affinities from labels, block by block, by the recipe of affinities-recipe.js. Affinities of a voxel are a
// function of the labels around it and of its position, so the bytes do not depend on the blocks.
import { arrayName, BlockPlan, defineTask, roiOf } from 'blockwright';
import { z } from 'zod';
import { affinitiesFromLabels, recipeHalo } from './affinities-recipe.js';

export default defineTask({
  type: 'affinities-from-labels',
  description: 'Noisy uint8 affinities made from labels.',
  options: z.strictObject({
    labels: arrayName(),
    affinities: arrayName(),
    neighborhood: z.array(z.array(z.int())).min(1).describe('One channel an offset, voxels.'),
    seed: z.int().nonnegative(),
    blockSize: z.array(z.int().positive()),
  }),

  plan(options, context) {
    const labels = context.array(options.labels);
    const halo = recipeHalo(options.neighborhood);
    return {
      blocks: new BlockPlan({
        totalWriteRoi: roiOf(labels),
        blockShape: labels.voxelSize.multiply(options.blockSize),
        contextLow: labels.voxelSize.multiply(halo),
        contextHigh: labels.voxelSize.multiply(halo),
        fit: 'shrink',
      }),
      reads: [{ kind: 'array', name: options.labels }],
      writes: [{ kind: 'array', name: options.affinities }],
      outputs: [
        {
          name: options.affinities,
          metadata: {
            ...labels,
            dataType: 'uint8',
            shape: [options.neighborhood.length, ...labels.shape],
            chunkShape: [options.neighborhood.length, ...options.blockSize],
            channelAxes: 1,
            axisNames: ['c^', ...labels.axisNames],
            attributes: { neighborhood: options.neighborhood },
          },
        },
      ],
    };
  },

  async processBlock(options, block, context) {
    const labels = await context.array(options.labels);
    const affinities = await context.array(options.affinities);
    const { voxelSize, offset, shape } = labels.metadata;
    // The recipe repeats voxels at the faces of the volume, so it gets the part of the read Roi that is inside.
    const inside = block.readRoi.intersect(labels.roi);
    const { data, shape: readShape } = await labels.readRoi(inside, { signal: context.signal });
    const readBegin = inside.begin.subtract(offset).divide(voxelSize).values;
    const begin = block.writeRoi.begin.subtract(offset).divide(voxelSize).values;
    const end = block.writeRoi.end.subtract(offset).divide(voxelSize).values;
    const result = affinitiesFromLabels({ labels: data, begin: readBegin, shape: readShape }, begin, end, {
      offsets: options.neighborhood,
      seed: options.seed,
      volumeShape: shape,
    });
    await affinities.writeRoi(block.writeRoi, result, { signal: context.signal });
  },
});
