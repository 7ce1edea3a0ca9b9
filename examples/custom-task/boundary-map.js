// A task type of one's own: 255 where a label touches another one (or background), 0 elsewhere.
// A plugin is a module whose default export is a task definition; the pipeline file names it under `plugins`.
import { arrayName, BlockPlan, defineTask, roiOf } from 'blockwright';
import { z } from 'zod';

export default defineTask({
  type: 'boundary-map',
  description: 'Marks voxels whose label differs from a face neighbour.',

  // Checked before anything runs; unknown keys and wrong types are reported with file and line.
  options: z.strictObject({
    labels: arrayName(),
    boundaries: arrayName(),
    blockSize: z.array(z.int().positive()).length(3), // voxels, z y x
  }),

  // Where the blocks are, what is read and written. Rois are in world units, blockSize is in voxels.
  plan(options, context) {
    const labels = context.array(options.labels);
    return {
      blocks: new BlockPlan({
        totalWriteRoi: roiOf(labels),
        blockShape: labels.voxelSize.multiply(options.blockSize),
        contextLow: labels.voxelSize, // one voxel around each block
        contextHigh: labels.voxelSize,
        fit: 'shrink',
      }),
      reads: [{ kind: 'array', name: options.labels }],
      writes: [{ kind: 'array', name: options.boundaries }],
      outputs: [
        {
          name: options.boundaries,
          metadata: { ...labels, dataType: 'uint8', chunkShape: options.blockSize, attributes: {} },
        },
      ],
    };
  },

  // Runs in worker processes, possibly more than once for a block: the same block must give the same bytes.
  async processBlock(options, block, context) {
    const labels = await context.array(options.labels);
    const boundaries = await context.array(options.boundaries);
    const { data, shape } = await labels.readRoi(block.readRoi, { signal: context.signal }); // 0 outside the volume
    const [, ny, nx] = shape;
    const [depth, height, width] = block.writeRoi.shape.divide(labels.metadata.voxelSize);
    const result = new Uint8Array(depth * height * width);
    const neighbours = [-ny * nx, ny * nx, -nx, nx, -1, 1];
    let marked = 0;
    for (let z = 0, out = 0; z < depth; z++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++, out++) {
          const voxel = ((z + 1) * ny + (y + 1)) * nx + x + 1;
          if (neighbours.some((step) => data[voxel + step] !== data[voxel])) {
            result[out] = 255;
            marked++;
          }
        }
      }
    }
    await boundaries.writeRoi(block.writeRoi, result, { signal: context.signal });
    context.log(`${marked} of ${result.length} voxels are boundary`);
  },
});
