import { z } from 'zod';
import type { Block } from '../blocks/block.js';
import { BlockwrightError, messageOf } from '../errors.js';
import type { Roi } from '../geometry/roi.js';
import type { NodeColumns } from '../graph/graph-store.js';
import { type BlockComponents, blockComponents, type ComponentLabels } from '../native/block-components.js';
import { type Connectivity, reachOf } from '../native/connected-components.js';
import { fragmentStatistics } from '../native/fragment-statistics.js';
import { factsOf } from '../storage/data-type.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { arrayName, graphName } from '../workers/option-types.js';
import { type BlockContext, defineTask, type PlanContext } from '../workers/task-definition.js';
import { blockOptions, outputLike, planOver } from './block-options.js';

const options = z.strictObject({
  input: arrayName().describe('A mask or labels: bool or integers without channels; 0 is background.'),
  fragments: arrayName().describe('Written: uint64, the components of each block; unique in the volume.'),
  graph: graphName().describe('Gets a node for each of them, and which of them belong together.'),
  connectivity: z
    .union([z.enum(['face', 'full']), z.int().positive()])
    .default('full')
    .describe(
      'Which voxels touch: 6, 18, 26 neighbours (in 2-D 4, 8), or in how many coordinates they may differ (1 = face, to all = full).',
    ),
  binary: z
    .boolean()
    .default(false)
    .describe('Whether all voxels but 0 are one. Otherwise voxels of different values are never joined.'),
  ...blockOptions,
});

type Options = z.infer<typeof options>;

/** Names of voxels are counted in 64 bits, with room to spare. */
const MOST_VOXELS = 2n ** 62n;

function checkInput(given: Options, context: PlanContext): ArrayMetadata {
  const input = context.array(given.input);
  if (factsOf(input.dataType).kind === 'float') {
    const hint = "the array's `operations` can make it one: {type: threshold, value: ...}";
    throw context.error('input', `expected bool or integers, found ${input.dataType} (${hint})`);
  }
  if (input.channelAxes !== 0) {
    const hint = "the array's `operations` can choose one: {type: channels, channels: 0}";
    throw context.error('input', `expected no channels, found ${input.channelAxes} channel axes (${hint})`);
  }
  try {
    reachOf(given.connectivity as Connectivity, input.voxelSize.dimensions);
  } catch (error) {
    throw context.error('connectivity', messageOf(error).replace('connectivity: ', ''));
  }
  return input;
}

/** Where the block lies among the voxels of the task, of which only those inside its volume count. */
function placeOf(block: Block, readRoi: Roi, volume: Roi, voxelSize: ArrayMetadata['voxelSize']) {
  return {
    low: block.writeRoi.begin.subtract(readRoi.begin).divide(voxelSize).values,
    begin: block.writeRoi.begin.subtract(volume.begin).divide(voxelSize).values,
    volume: volume.shape.divide(voxelSize).values,
  };
}

/** World position of the voxel that a name says. */
function positionOf(name: bigint, volume: Roi, voxelSize: ArrayMetadata['voxelSize']): number[] {
  const shape = volume.shape.divide(voxelSize).values;
  const position = new Array<number>(shape.length);
  let rest = name - 1n;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    position[axis] = volume.begin.at(axis) + Number(rest % BigInt(shape[axis])) * voxelSize.at(axis);
    rest /= BigInt(shape[axis]);
  }
  return position;
}

/** A node for each component, and one without voxels for each piece of one that other blocks meet. */
async function nodesOf(
  { components, pieces }: BlockComponents,
  block: Block,
  voxelSize: ArrayMetadata['voxelSize'],
  { blocks, signal }: BlockContext,
): Promise<NodeColumns> {
  const { dimensions } = voxelSize;
  const found = await fragmentStatistics(components, block.writeRoi.shape.divide(voxelSize).values, { signal });
  const count = found.ids.length + pieces.length;
  const ids = new BigUint64Array(count);
  ids.set(found.ids);
  ids.set(pieces, found.ids.length);
  const sizes = new BigUint64Array(count);
  sizes.set(found.sizes);
  const positions = new Float64Array(count * dimensions);
  for (const [index, centre] of found.centres.entries()) {
    const axis = index % dimensions;
    positions[index] = block.writeRoi.begin.at(axis) + centre * voxelSize.at(axis);
  }
  for (const [index, piece] of pieces.entries()) {
    positions.set(positionOf(piece, blocks.totalWriteRoi, voxelSize), (found.ids.length + index) * dimensions);
  }
  return { ids, sizes, positions };
}

/**
 * Connected components of each block, named by their first voxel (1 + its place in the volume in raster order), and the
 * pairs that belong together. A block looks one voxel into those before it, and waits for none: see block_components.h.
 * `components-lut` then joins them.
 */
export const connectedComponents = defineTask<Options>({
  type: 'connected-components',
  description: 'Connected components of a mask or of labels, block by block; components-lut joins them.',
  options,

  plan(given, context) {
    const input = checkInput(given, context);
    const { dimensions } = input.voxelSize;
    const blocks = planOver(input, given, context, new Array(dimensions).fill(1), new Array(dimensions).fill(0));
    const shape = blocks.totalWriteRoi.shape.divide(input.voxelSize);
    if (shape.values.reduce((product, extent) => product * BigInt(extent), 1n) > MOST_VOXELS) {
      throw new BlockwrightError('ERR_LIMIT', `components: expected a volume of at most 2^62 voxels, found ${shape}`);
    }
    return {
      blocks,
      reads: [{ kind: 'array', name: given.input }],
      writes: [
        { kind: 'array', name: given.fragments },
        { kind: 'graph', name: given.graph },
      ],
      edgeAttributes: { [given.graph]: [] },
      outputs: [{ name: given.fragments, metadata: outputLike(input, blocks, given.blockSize, 'uint64') }],
    };
  },

  async init(given, context) {
    const { metadata } = await context.array(given.input);
    await context.graph(given.graph).init({ dimensions: metadata.voxelSize.dimensions });
  },

  async processBlock(given, block, context) {
    const { signal } = context;
    const [input, fragments] = await Promise.all([context.array(given.input), context.array(given.fragments)]);
    const { voxelSize } = input.metadata;
    const volume = context.blocks.totalWriteRoi;
    const readRoi = block.readRoi.intersect(volume);
    const { data, shape } = await input.readRoi(readRoi, { signal });
    const found = await blockComponents(data as ComponentLabels, shape, placeOf(block, readRoi, volume, voxelSize), {
      connectivity: given.connectivity as Connectivity,
      binary: given.binary,
      signal,
    });
    await fragments.writeRoi(block.writeRoi, found.components, { signal });
    const graph = context.graph(given.graph);
    const key = { task: context.task, block: block.index, roi: block.writeRoi };
    const nodes = await nodesOf(found, block, voxelSize, context);
    // together: they share a commit
    await Promise.all([
      graph.writeNodes(key, nodes),
      graph.writeEdges(key, { u: found.u, v: found.v, attributes: {} }),
    ]);
    context.log(`${found.count} components, ${found.u.length} pairs`);
  },
});
