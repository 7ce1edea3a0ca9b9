import { z } from 'zod';
import { edgeScores } from '../native/edge-scores.js';
import { arrayName, graphName } from '../workers/option-types.js';
import { defineTask, type PlanContext } from '../workers/task-definition.js';
import { affinitiesOf, blockOptions, checkContext, checkGrid, planOver, vector, writeBox } from './block-options.js';
import { firstVoxel, tellingVoxels } from './volume-voxel.js';

const options = z.strictObject({
  affinities: arrayName().describe('[channels, ...spatial]; uint8 (0..255 = 0..1) or float32.'),
  fragments: arrayName().describe('Labels of extract-frags.'),
  graph: graphName().describe('Edges are added here.'),
  ...blockOptions,
  context: z
    .array(z.int().nonnegative())
    .optional()
    .describe('Voxels read around a block. Default, and the least that works: the longest offset of the scores.'),
  scores: z
    .record(z.string().min(1), z.array(vector()).min(1))
    .describe('Score name -> offsets of the neighborhood that are averaged in it.'),
});

type Options = z.infer<typeof options>;

/** Channel of every offset that a score names. */
function channelsOf(
  scores: Options['scores'],
  neighborhood: readonly (readonly number[])[],
  error: (option: string, message: string) => Error,
): Record<string, number[]> {
  const channel = new Map(neighborhood.map((offset, index) => [offset.join(','), index]));
  return Object.fromEntries(
    Object.entries(scores).map(([name, offsets]) => [
      name,
      offsets.map((offset, place) => {
        const index = channel.get(offset.join(','));
        if (index === undefined) {
          const known = neighborhood.map((known) => `[${known.join(', ')}]`).join(', ');
          throw error(
            `scores.${name}[${place}]`,
            `expected an offset of the neighborhood (${known}), found [${offset.join(', ')}]`,
          );
        }
        return index;
      }),
    ]),
  );
}

/** How far the offsets of the used channels reach below and above a voxel. */
function reach(neighborhood: readonly (readonly number[])[], channels: Record<string, number[]>, dimensions: number) {
  const used = Object.values(channels)
    .flat()
    .map((channel) => neighborhood[channel]);
  const axes = Array.from({ length: dimensions }, (_, axis) => axis);
  return {
    low: axes.map((axis) => Math.max(0, ...used.map((offset) => -offset[axis]))),
    high: axes.map((axis) => Math.max(0, ...used.map((offset) => offset[axis]))),
  };
}

function contextOf(given: Options, context: PlanContext, needed: { low: number[]; high: number[] }) {
  const context_ = checkContext(given.context, needed.low.length, context);
  if (context_ === undefined) return needed;
  const least = needed.low.map((low, axis) => Math.max(low, needed.high[axis]));
  if (least.some((voxels, axis) => context_[axis] < voxels)) {
    throw context.error(
      'context',
      `expected at least [${least.join(', ')}], the longest offset of the scores, found [${context_.join(', ')}]`,
    );
  }
  return { low: context_, high: context_ };
}

/**
 * Edge scores between touching fragments, as exact partial sums: a pair of voxels (p, p + offset) is counted by the one
 * block whose writeRoi holds p, so scores do not depend on how the volume is cut.
 */
export const affAgglom = defineTask<Options>({
  type: 'aff-agglom',
  description: 'Scores the edges between fragments by mean affinities.',
  options,

  plan(given, context) {
    const affinities = affinitiesOf(given, context);
    const fragments = context.array(given.fragments);
    checkGrid('fragments', fragments, affinities, context);
    if (fragments.dataType !== 'uint64') {
      throw context.error('fragments', `expected uint64 labels, found ${fragments.dataType}`);
    }
    const neighborhood = context.neighborhood(given.affinities);
    const channels = channelsOf(given.scores, neighborhood, context.error);
    const { low, high } = contextOf(given, context, reach(neighborhood, channels, fragments.voxelSize.dimensions));
    return {
      blocks: planOver(fragments, given, context, low, high),
      reads: [
        { kind: 'array', name: given.affinities },
        { kind: 'array', name: given.fragments },
      ],
      writes: [{ kind: 'graph', name: given.graph }],
      outputs: [],
      edgeAttributes: { [given.graph]: Object.keys(given.scores) },
    };
  },

  async init(given, context) {
    const affinities = await context.array(given.affinities);
    const graph = context.graph(given.graph);
    await graph.init({ dimensions: affinities.metadata.voxelSize.dimensions });
    const scale = affinities.metadata.dataType === 'uint8' ? 1 / 255 : 1;
    await graph.addEdgeAttributes(Object.keys(given.scores).map((name) => ({ name, scale })));
  },

  async processBlock(given, block, context) {
    const { signal } = context;
    const [affinities, fragments] = await Promise.all([
      context.array(given.affinities),
      context.array(given.fragments),
    ]);
    const [values, labels] = await Promise.all([
      affinities.readRoi(block.readRoi, { signal }),
      fragments.readRoi(block.readRoi, { signal }),
    ]);
    const neighborhood = context.neighborhood(given.affinities);
    const { voxelSize } = fragments.metadata;
    const edges = await tellingVoxels(firstVoxel(block, affinities.metadata), labels.shape, () =>
      edgeScores(labels.data as BigUint64Array, values.data as Uint8Array | Float32Array, labels.shape, {
        offsets: neighborhood,
        box: writeBox(block, voxelSize),
        scores: channelsOf(given.scores, neighborhood, (_option, message) => new Error(message)),
        signal,
      }),
    );
    await context.graph(given.graph).writeEdges({ task: context.task, block: block.index, roi: block.writeRoi }, edges);
    context.log(`${edges.u.length} edges`);
  },
});
