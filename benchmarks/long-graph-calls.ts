import { edgeScores } from '../lib/native/edge-scores.js';
import { graphMutexWatershed } from '../lib/native/graph-mutex-watershed.js';
import { addUpEdges, mergeEdges } from '../lib/native/merge-edges.js';
import { mergeNodes } from '../lib/native/merge-nodes.js';
import { segmentSizes } from '../lib/native/segment-sizes.js';
import { OFFSETS } from './inputs.js';
import type { CancellationCase } from './long-call.js';
import {
  ascending,
  cube,
  distinctLabels,
  edgeRuns,
  hubEdges,
  nodeRuns,
  noiseBytes,
  noiseFloats,
  noiseLabels,
  scoredEdges,
  voxels,
} from './slow-inputs.js';

/** Functions that make, merge and cut graphs. */
export const graphCases: readonly CancellationCase[] = [
  {
    native: 'edgeScores',
    name: 'noise of 1000 labels',
    part: 0.5,
    threaded: true,
    async make(count) {
      const shape = cube(count);
      const fragments = noiseLabels(voxels(shape), 1001);
      const affinities = noiseBytes(OFFSETS.length * fragments.length);
      const options = { offsets: OFFSETS, scores: { affinity: OFFSETS.map((_, channel) => channel) } };
      return { run: (call) => edgeScores(fragments, affinities, shape, { ...options, ...call }) };
    },
  },
  {
    native: 'edgeScores',
    name: 'distinct labels',
    part: 1 / 8,
    threaded: true,
    async make(count) {
      const shape = cube(count);
      const fragments = distinctLabels(voxels(shape));
      const affinities = noiseFloats(OFFSETS.length * fragments.length);
      const options = { offsets: OFFSETS, scores: { affinity: OFFSETS.map((_, channel) => channel) } };
      return { run: (call) => edgeScores(fragments, affinities, shape, { ...options, ...call }) };
    },
  },
  {
    native: 'graphMutexWatershed',
    name: 'random edges',
    part: 1 / 4,
    threaded: true,
    async make(count) {
      const { nodes, edges } = scoredEdges(count);
      const weights = { affinity: [1, -0.5] as const };
      return { run: (options) => graphMutexWatershed(nodes, edges, { ...options, weights }) };
    },
  },
  {
    native: 'graphMutexWatershed',
    name: 'equal scores',
    part: 1 / 4,
    threaded: true,
    async make(count) {
      const { nodes, edges } = scoredEdges(count);
      edges.attributes.affinity.sums.forEach((sum, edge, sums) => {
        sums[edge] = sum > 0.5 ? 1 : 0;
      });
      const weights = { affinity: [1, -0.5] as const };
      return { run: (options) => graphMutexWatershed(nodes, edges, { ...options, weights }) };
    },
  },
  {
    native: 'graphMutexWatershed',
    name: 'long searches',
    part: 1 / 4,
    threaded: true,
    async make(count) {
      const { nodes, edges } = hubEdges(count);
      const weights = { attraction: [1, 0] as const, repulsion: [1, 0] as const };
      return { run: (options) => graphMutexWatershed(nodes, edges, { ...options, weights }) };
    },
  },
  {
    native: 'mergeEdges',
    name: '2 runs',
    part: 1 / 4,
    threaded: false,
    async make(count) {
      const runs = edgeRuns(count);
      return { run: (options) => mergeEdges(runs, ['affinity'], options) };
    },
  },
  {
    native: 'mergeEdges',
    name: 'all of one node',
    part: 1 / 4,
    threaded: false,
    async make(count) {
      const runs = edgeRuns(count).map((run) => ({ ...run, u: run.u.fill(7n), v: run.u.slice() }));
      return { run: (options) => mergeEdges(runs, ['affinity'], options) };
    },
  },
  {
    native: 'addUpEdges',
    name: 'rows in no order',
    part: 1 / 4,
    threaded: false,
    async make(count) {
      const [{ u, v, attributes }] = edgeRuns(count);
      const { sums, counts } = attributes.affinity;
      const rows = () => ({
        u: u.slice(),
        v: v.slice(),
        attributes: { affinity: { sums: sums.slice(), counts: counts.slice() } },
      });
      return { run: (options) => addUpEdges(rows(), options) };
    },
  },
  {
    native: 'mergeNodes',
    name: '2 runs',
    part: 1 / 2,
    threaded: false,
    async make(count) {
      const runs = nodeRuns(count);
      return { run: (options) => mergeNodes(runs, 3, options) };
    },
  },
  {
    native: 'segmentSizes',
    name: 'random segments',
    part: 2,
    threaded: false,
    async make(count) {
      const ids = ascending(count);
      const segments = noiseLabels(count, count);
      const halves = new Uint32Array(segments.buffer);
      // odd ids are their own segments, even ones belong to any of those
      for (let node = 0; node < count; node++) halves[2 * node] = node % 2 === 0 ? node + 1 : halves[2 * node] | 1;
      return { run: (options) => segmentSizes(ids, segments, ids, options) };
    },
  },
];
