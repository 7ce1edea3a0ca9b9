import { z } from 'zod';
import { BlockPlan } from '../blocks/plan.js';
import { blockTable } from '../evaluation/block-table.js';
import { commonGrid } from '../evaluation/common-grid.js';
import { prepareTables, writeTable } from '../evaluation/table-folder.js';
import { Roi } from '../geometry/roi.js';
import { openLut } from '../graph/lut.js';
import { arrayName, filePath, lutPath } from '../workers/option-types.js';
import { defineTask, type RunContext } from '../workers/task-definition.js';
import { blockOptions } from './block-options.js';

const options = z.strictObject({
  segmentation: arrayName().describe('Labels of any integer type.'),
  truth: arrayName().describe('Labels of any integer type, with the same voxel size.'),
  mask: arrayName().optional().describe('Voxels where it is 0, or where it is not, are left out.'),
  lut: lutPath()
    .optional()
    .describe('What the segmentation holds are fragments; the segments of this LUT are counted.'),
  tables: filePath().describe('Written: a folder with one file a block, for a task `evaluate`.'),
  ...blockOptions,
});

type Options = z.infer<typeof options>;

async function openVolumes(given: Options, context: RunContext) {
  const [segmentation, truth, mask] = await Promise.all([
    context.array(given.segmentation),
    context.array(given.truth),
    given.mask === undefined ? undefined : context.array(given.mask),
  ]);
  const arrays = { segmentation: segmentation.metadata, truth: truth.metadata, mask: mask?.metadata };
  const grid = commonGrid(arrays, roiOf(given), (option, message) => new Error(`${option}: ${message}`));
  return { segmentation, truth, mask, grid };
}

const roiOf = ({ roi }: Options) => (roi === undefined ? undefined : new Roi(roi.offset, roi.shape));

/** Counts which labels of two arrays meet, block by block: the first half of an evaluation. */
export const contingency = defineTask<Options>({
  type: 'contingency',
  description: 'Counts which labels of a segmentation and of the truth meet, for `evaluate`.',
  options,

  plan(given, context) {
    const { mask, lut } = given;
    if (given.roi !== undefined && given.roi.offset.length !== given.roi.shape.length) {
      throw context.error('roi', 'expected as many numbers in offset as in shape');
    }
    const arrays = {
      segmentation: context.array(given.segmentation),
      truth: context.array(given.truth),
      mask: mask === undefined ? undefined : context.array(mask),
    };
    const { roi, voxelSize, shape } = commonGrid(arrays, roiOf(given), (option, text) => context.error(option, text));
    if (given.blockSize.length !== shape.length) {
      throw context.error('blockSize', `expected ${shape.length} numbers, found ${given.blockSize.length}`);
    }
    return {
      blocks: new BlockPlan({ totalWriteRoi: roi, blockShape: voxelSize.multiply(given.blockSize), fit: 'shrink' }),
      reads: [
        ...[given.segmentation, given.truth, ...(mask === undefined ? [] : [mask])].map((name) => ({
          kind: 'array' as const,
          name,
        })),
        ...(lut === undefined ? [] : [{ kind: 'lut' as const, name: lut }]),
      ],
      writes: [{ kind: 'file', name: given.tables }],
      outputs: [],
    };
  },

  async init(given, context, fresh) {
    const { grid } = await openVolumes(given, context);
    const blockShape = grid.voxelSize.multiply(given.blockSize);
    await prepareTables(context.filePath(given.tables), { grid, blockShape }, fresh);
  },

  async processBlock(given, block, context) {
    const lutOf = async () => (given.lut === undefined ? undefined : openLut(context.lutPath(given.lut)));
    const [{ grid, ...volumes }, lut] = await Promise.all([openVolumes(given, context), context.once('lut', lutOf)]);
    const table = await blockTable({ ...volumes, lut }, grid, block.writeRoi, context.signal);
    await writeTable(context.filePath(given.tables), block.index, table);
  },
});
