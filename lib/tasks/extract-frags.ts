import { z } from 'zod';
import type { Block } from '../blocks/block.js';
import type { BlockPlan } from '../blocks/plan.js';
import { BlockwrightError } from '../errors.js';
import { connectedComponents } from '../native/connected-components.js';
import { filterFragments } from '../native/filter-fragments.js';
import { findSeeds, seedMask } from '../native/find-seeds.js';
import { fragmentStatistics } from '../native/fragment-statistics.js';
import { mutexWatershed } from '../native/mutex-watershed.js';
import { removeDebris } from '../native/remove-debris.js';
import { readMask } from '../storage/mask.js';
import { arrayName, graphName } from '../workers/option-types.js';
import { type BlockContext, defineTask } from '../workers/task-definition.js';
import { kernelThreads } from '../workers/thread-counts.js';
import {
  affinitiesOf,
  blockOptions,
  checkContext,
  checkGrid,
  outputLike,
  planOver,
  writeBox,
} from './block-options.js';
import { clearOutside } from './mask.js';
import { lowerFarFromSeeds, smoothAffinities } from './smoothing.js';
import { firstVoxel, tellingVoxels } from './volume-voxel.js';

const options = z.strictObject({
  affinities: arrayName().describe('[channels, ...spatial]; uint8 (0..255 = 0..1) or float32; one channel an offset.'),
  fragments: arrayName().describe('Written: uint64 labels, unique in the volume, 0 = background.'),
  graph: graphName().optional().describe('Gets a node for each fragment: size in voxels, centre in world units.'),
  mask: arrayName().optional().describe('Affinities count only where this is > 0 (in all channels, if it has some).'),
  ...blockOptions,
  context: z.array(z.int().nonnegative()).optional().describe('Voxels read around a block. Default 0.'),
  bias: z
    .union([z.number(), z.array(z.number())])
    .describe('Added to the affinities, one number a channel or one for all; > 0 after that is attractive.'),
  strides: z
    .array(z.array(z.int().positive()).min(1).max(6))
    .optional()
    .describe('One stride vector a channel: only edges on that grid are used.'),
  randomizedStrides: z
    .boolean()
    .default(false)
    .describe('Keep each edge with probability 1 / product(stride) instead of on a grid.'),
  noiseEps: z.number().nonnegative().default(0).describe('Standard deviation of normal noise added to the affinities.'),
  seed: z.int().nonnegative().default(0).describe('Of the noise and of randomised strides.'),
  sigma: z.array(z.number().nonnegative()).optional().describe('Gaussian smoothing of the affinities, voxels an axis.'),
  filterFragments: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Fragments whose mean short-range affinity is lower become background.'),
  removeDebris: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Fragments of fewer voxels (in the read block) become background.'),
  minSeedDistance: z
    .int()
    .positive()
    .optional()
    .describe('Seeds the watershed at the maxima of the distance to boundaries in a cube of so many voxels.'),
  boundaryMaskOffsets: z
    .union([z.enum(['direct', 'all']), z.array(z.int().nonnegative()).min(1)])
    .default('direct')
    .describe('Channels whose mean > 0.5 is inside, for seeds: those of the direct neighbours, all, or a list.'),
  seedEps: z
    .number()
    .nonnegative()
    .default(0)
    .describe('With seeds: affinities are lowered by this times the distance (voxels) to the nearest seed.'),
});

export type ExtractFragsOptions = z.infer<typeof options>;

const SMALLEST_AFFINITY = 1e-3;
const LARGEST_ID = 2n ** 63n - 1n;

/** Ids of a block lie in (index * voxelsPerBlock, (index + 1) * voxelsPerBlock]. */
function idOffset(blocks: BlockPlan, voxelsPerBlock: number, block: number): bigint {
  const last = BigInt(blocks.count) * BigInt(voxelsPerBlock);
  if (last > LARGEST_ID) {
    throw new BlockwrightError(
      'ERR_LIMIT',
      `fragment ids: ${blocks.count} blocks of ${voxelsPerBlock} voxels need ids beyond 2^63 - 1`,
    );
  }
  return BigInt(block) * BigInt(voxelsPerBlock);
}

function voxelsPerBlock(given: ExtractFragsOptions): number {
  return given.blockSize.reduce((product, extent) => product * extent, 1);
}

/** Whether nothing in the block is worth a watershed. */
function isBlank(affinities: Uint8Array | Float32Array): boolean {
  for (const value of affinities) {
    if (!(value < SMALLEST_AFFINITY)) return false;
  }
  return true;
}

/** Channels behind the mask in which seeds are placed. */
function boundaryChannels(
  chosen: ExtractFragsOptions['boundaryMaskOffsets'],
  offsets: readonly (readonly number[])[],
): number[] {
  if (chosen === 'all') return [...offsets.keys()];
  if (chosen === 'direct') return [...offsets.keys()].slice(0, offsets[0].length);
  return [...chosen];
}

/** Labels of the read block, whose first voxel is `origin`. Changes the affinities where there is a mask. */
async function computeFragments(
  given: ExtractFragsOptions,
  affinities: Uint8Array | Float32Array,
  shape: readonly number[],
  origin: readonly number[],
  block: Block,
  context: BlockContext,
): Promise<BigUint64Array> {
  const { signal } = context;
  const offsets = context.neighborhood(given.affinities);
  // Before everything else, so that smoothing, seeds and means see the masked affinities, too.
  if (given.mask !== undefined)
    clearOutside(affinities, await readMask(await context.array(given.mask), block.readRoi, signal));
  let smoothed: Float32Array | undefined;
  if (given.sigma !== undefined) smoothed = await smoothAffinities(affinities, shape, given.sigma, signal);
  let seeds: BigUint64Array | undefined;
  if (given.minSeedDistance !== undefined) {
    const channels = boundaryChannels(given.boundaryMaskOffsets, offsets);
    const inside = await seedMask(affinities, shape.slice(1), { channels, signal });
    ({ seeds } = await findSeeds(inside, shape.slice(1), { minSeedDistance: given.minSeedDistance, signal }));
    if (given.seedEps > 0)
      smoothed = await lowerFarFromSeeds(smoothed ?? affinities, shape, seeds, given.seedEps, signal);
  }
  const fragments = await mutexWatershed(affinities, shape, {
    offsets,
    bias: given.bias,
    ...(given.strides === undefined ? {} : { strides: given.strides }),
    randomizedStrides: given.randomizedStrides,
    noiseEps: given.noiseEps,
    seed: given.seed,
    // Random numbers belong to voxels of the volume: they agree where blocks overlap, and do not depend on the blocks.
    origin,
    ...(smoothed === undefined ? {} : { smoothed }),
    ...(seeds === undefined ? {} : { seeds }),
    threads: kernelThreads(),
    signal,
  });
  if (given.filterFragments > 0) {
    const channels = boundaryChannels('direct', offsets);
    await filterFragments(fragments, affinities, shape.slice(1), {
      threshold: given.filterFragments,
      channels,
      signal,
    });
  }
  if (given.removeDebris > 0) {
    await removeDebris(fragments, given.removeDebris, { signal });
  }
  return fragments;
}

/** Mutex watershed of affinities, block by block with context; labels unique across blocks. */
export const extractFrags = defineTask<ExtractFragsOptions>({
  type: 'extract-frags',
  description: 'Fragments (supervoxels) from affinities by a mutex watershed.',
  options,

  plan(given, context) {
    const affinities = affinitiesOf(given, context);
    const dimensions = affinities.voxelSize.dimensions;
    if (given.mask !== undefined) checkGrid('mask', context.array(given.mask), affinities, context);
    const channels = context.neighborhood(given.affinities).length;
    if (typeof given.bias !== 'number' && given.bias.length !== channels) {
      throw context.error('bias', `expected 1 or ${channels} numbers, found ${given.bias.length}`);
    }
    if (given.strides !== undefined) {
      if (given.strides.length !== channels || given.strides.some((stride) => stride.length !== dimensions)) {
        const found = `[${given.strides.map((stride) => `[${stride.join(', ')}]`).join(', ')}]`;
        throw context.error('strides', `expected ${channels} vectors of ${dimensions} numbers, found ${found}`);
      }
    }
    if (given.sigma !== undefined && given.sigma.length !== dimensions) {
      throw context.error('sigma', `expected ${dimensions} numbers, found ${given.sigma.length}`);
    }
    const unknown =
      typeof given.boundaryMaskOffsets === 'string'
        ? []
        : given.boundaryMaskOffsets.filter((channel) => channel >= channels);
    if (unknown.length > 0)
      throw context.error('boundaryMaskOffsets', `expected channels 0 to ${channels - 1}, found ${unknown.join(', ')}`);
    const around = checkContext(given.context, dimensions, context);
    const blocks = planOver(affinities, given, context, around);
    idOffset(blocks, voxelsPerBlock(given), 0);
    return {
      blocks,
      reads: [given.affinities, ...(given.mask === undefined ? [] : [given.mask])].map((name) => ({
        kind: 'array' as const,
        name,
      })),
      writes: [
        { kind: 'array', name: given.fragments },
        ...(given.graph === undefined ? [] : [{ kind: 'graph' as const, name: given.graph }]),
      ],
      ...(given.graph === undefined ? {} : { edgeAttributes: { [given.graph]: [] } }),
      outputs: [{ name: given.fragments, metadata: outputLike(affinities, blocks, given.blockSize, 'uint64') }],
    };
  },

  async init(given, context) {
    if (given.graph === undefined) return;
    const { metadata } = await context.array(given.affinities);
    await context.graph(given.graph).init({ dimensions: metadata.voxelSize.dimensions });
  },

  async processBlock(given, block, context) {
    const { signal } = context;
    const [affinities, output] = await Promise.all([context.array(given.affinities), context.array(given.fragments)]);
    const { voxelSize } = affinities.metadata;
    const crop = writeBox(block, voxelSize);
    const read = await affinities.readRoi(block.readRoi, { signal });
    const values = read.data as Uint8Array | Float32Array;

    let labels: BigUint64Array;
    if (isBlank(values)) {
      labels = new BigUint64Array(block.writeRoi.shape.divide(voxelSize).product());
      context.log('no affinities: background only');
    } else {
      const origin = firstVoxel(block, affinities.metadata);
      const shape = read.shape.slice(1);
      const fragments = await tellingVoxels(origin, shape, () =>
        computeFragments(given, values, read.shape, origin, block, context),
      );
      const components = await connectedComponents(fragments, shape, {
        crop,
        idOffset: idOffset(context.blocks, voxelsPerBlock(given), block.index),
        threads: kernelThreads(),
        signal,
      });
      labels = components.labels;
      context.log(`${components.count} fragments`);
    }
    await output.writeRoi(block.writeRoi, labels, { signal });

    if (given.graph !== undefined) {
      const statistics = await fragmentStatistics(labels, crop.shape, { signal });
      const positions = statistics.centres.map((centre, index) => {
        const axis = index % voxelSize.dimensions;
        return block.writeRoi.begin.at(axis) + centre * voxelSize.at(axis);
      });
      await context
        .graph(given.graph)
        .writeNodes(
          { task: context.task, block: block.index, roi: block.writeRoi },
          { ids: statistics.ids, sizes: statistics.sizes, positions },
        );
    }
  },
});
