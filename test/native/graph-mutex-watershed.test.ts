import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  type EdgeSums,
  type FragmentEdges,
  type GraphMutexWatershedOptions,
  graphMutexWatershed,
} from '../../lib/native/graph-mutex-watershed.js';
import { goldens, readJson, readNpz } from '../support/goldens.js';
import { type GraphItem, naiveGraphMutexWatershed } from '../support/naive-mutex-watershed.js';
import { philox } from '../support/naive-random.js';

interface Case {
  readonly file: string;
  readonly edgePerAttr: boolean;
  readonly attributes: string[];
  readonly weights: Record<string, [number, number]>;
}

/** Attributes whose means are given: one value each, NaN = missing. */
function means(values: ArrayLike<number>): EdgeSums {
  const sums = Float64Array.from(values, (value) => (Number.isNaN(value) ? 0 : value));
  return { sums, counts: Float64Array.from(values, (value) => Number(!Number.isNaN(value))) };
}

/** Segments numbered in the order of their first node. */
function canonical(segments: readonly bigint[]): number[] {
  const ids = [...new Set(segments)];
  return segments.map((id) => ids.indexOf(id) + 1);
}

describe('segments equal the published ones', () => {
  for (const golden of readJson<Case[]>(join(goldens, 'graph-mws/index.json'))) {
    test(golden.file, async () => {
      const arrays = readNpz(join(goldens, 'graph-mws', golden.file));
      const nodes = BigUint64Array.from(arrays.nodeIds.data as BigUint64Array).sort();
      const ends = arrays.edges.data as BigUint64Array;
      const lut = arrays.startingLut?.data as BigUint64Array | undefined;
      const segments = await graphMutexWatershed(
        nodes,
        {
          u: ends.filter((_, i) => i % 2 === 0),
          v: ends.filter((_, i) => i % 2 === 1),
          attributes: Object.fromEntries(
            golden.attributes.map((name) => [name, means(arrays[`attr_${name}`].data as Float64Array)]),
          ),
        },
        {
          weights: golden.weights,
          pseudoCount: 0,
          edgePerAttr: golden.edgePerAttr,
          ...(lut && { startingLut: { fragments: lut.slice(0, lut.length / 2), segments: lut.slice(lut.length / 2) } }),
        },
      );
      // The reference's table leaves out nodes without edges; they keep their id.
      const listed = new Set((arrays.lut.data as BigUint64Array).slice(0, arrays.lut.shape[1]));
      expect(canonical([...segments].filter((_, i) => listed.has(nodes[i])))).toEqual([
        ...(arrays.segmentCanonical.data as Uint32Array),
      ]);
      nodes.forEach((id, i) => {
        if (!listed.has(id)) expect(segments[i]).toBe(id);
      });
    });
  }
});

interface Graph {
  readonly nodes: bigint[];
  readonly edges: FragmentEdges;
  readonly options: GraphMutexWatershedOptions & { readonly pseudoCount: number; readonly edgePerAttr: boolean };
}

/** Random graphs with many ties, made from integers. */
const graphs: fc.Arbitrary<Graph> = fc
  .record({
    ids: fc.uniqueArray(
      fc.oneof(fc.bigInt({ min: 1n, max: 60n }), fc.bigInt({ min: 2n ** 40n, max: 2n ** 64n - 1n })),
      {
        minLength: 2,
        maxLength: 40,
      },
    ),
    ends: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 150 }),
    attributes: fc.integer({ min: 0, max: 3 }),
    levels: fc.constantFrom(2, 3, 10, 1000),
    content: fc.infiniteStream(fc.nat({ max: 2 ** 20 })),
    pseudoCount: fc.constantFrom(0, 1, 100),
    edgePerAttr: fc.boolean(),
    lut: fc.option(fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 8 }), { nil: undefined }),
  })
  .map((made) => {
    const nodes = made.ids.sort((a, b) => (a < b ? -1 : 1));
    const node = (index: number) => nodes[index % nodes.length];
    // Each pair once, as stores keep edges; either end first.
    const pairs = new Map(
      made.ends
        .filter(([a, b]) => node(a) !== node(b))
        .map(([a, b]) => [[node(a), node(b)].sort().join(), [node(a), node(b)] as const]),
    );
    const ends = [...pairs.values()];
    const next = () => made.content.next().value as number;
    const names = ['near', 'mid', 'far'].slice(0, made.attributes);
    const attributes = Object.fromEntries(
      names.map((name) => {
        const counts = Float64Array.from(ends, () => next() % 4);
        return [name, { sums: counts.map((count) => (count * (next() % made.levels)) / (made.levels - 1)), counts }];
      }),
    );
    return {
      nodes,
      edges: {
        u: BigUint64Array.from(ends, ([u]) => u),
        v: BigUint64Array.from(ends, ([, v]) => v),
        attributes,
      },
      options: {
        weights: Object.fromEntries(
          names.map((name, i) => [name, [1 - i / 8, [-0.5, -0.25, -0.625][next() % 3]] as const]),
        ),
        scales: Object.fromEntries(names.map((name) => [name, [1, 0.75][next() % 2]])),
        pseudoCount: made.pseudoCount,
        edgePerAttr: made.edgePerAttr,
        ...(made.lut && {
          startingLut: {
            fragments: BigUint64Array.from(made.lut, ([fragment]) => (fragment % 9 === 0 ? 77n : node(fragment))),
            segments: BigUint64Array.from(made.lut, ([, segment]) => (segment % 3 === 0 ? 10n ** 9n : node(segment))),
          },
        }),
      },
    };
  });

function naive({ nodes, edges, options }: Graph): bigint[] {
  const items: GraphItem[] = [];
  for (let i = 0; i < edges.u.length; ++i) {
    const scores = Object.entries(options.weights).map(([name, [weight, bias]], attribute) => {
      const { sums, counts } = edges.attributes[name];
      const mean = (sums[i] * (options.scales?.[name] ?? 1)) / counts[i];
      const score = (weight * mean + bias) * (counts[i] / (counts[i] + options.pseudoCount));
      return { score, attribute, u: edges.u[i], v: edges.v[i], present: counts[i] !== 0 };
    });
    const present = scores.filter((score) => score.present);
    if (options.edgePerAttr) items.push(...present);
    else items.push({ ...edge(edges, i), attribute: 0, score: present.reduce((sum, { score }) => sum + score, 0) });
  }
  const { fragments = [], segments = [] } = options.startingLut ?? {};
  return naiveGraphMutexWatershed(
    nodes,
    items,
    [...fragments].map((fragment, i) => [fragment, segments[i]] as const),
  );
}

function edge(edges: FragmentEdges, index: number): { u: bigint; v: bigint } {
  return { u: edges.u[index], v: edges.v[index] };
}

function solve({ nodes, edges, options }: Graph, changes: Partial<GraphMutexWatershedOptions> = {}) {
  return graphMutexWatershed(BigUint64Array.from(nodes), edges, { ...options, ...changes });
}

/** A graph of 60 nodes and 240 edges on which every option matters. */
function randomGraph(): Graph {
  const random = Array.from({ length: 240 }, (_, i) => philox([i, 0, 0, 0], [1, 1]));
  return {
    nodes: Array.from({ length: 60 }, (_, i) => BigInt(3 * i + 1)),
    edges: {
      u: BigUint64Array.from(random, ([a]) => BigInt(3 * (a % 60) + 1)),
      v: BigUint64Array.from(random, ([, b]) => BigInt(3 * (b % 60) + 1)),
      attributes: Object.fromEntries(
        ['near', 'far'].map((name, k) => {
          const counts = Float64Array.from(random, (words) => words[2 + k] % 6);
          return [name, { sums: counts.map((count, i) => (count * (random[i][3 - k] >>> 8)) / 2 ** 24), counts }];
        }),
      ),
    },
    options: { weights: { near: [1, -0.4], far: [0.9, -0.6] }, pseudoCount: 3, edgePerAttr: true },
  };
}

describe('the kernel equals its slow twin', () => {
  test('on random graphs with any options', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (graph) => {
        expect(await solve(graph)).toEqual(BigUint64Array.from(naive(graph)));
      }),
      { seed: 20250801, numRuns: 300 },
    );
  });

  test('and does not depend on the order of edges and of their ends', async () => {
    const graph = randomGraph();
    const { u, v, attributes } = graph.edges;
    const edges = {
      u: v.toReversed(),
      v: u.toReversed(),
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([name, { sums, counts }]) => [
          name,
          { sums: sums.toReversed(), counts: counts.toReversed() },
        ]),
      ),
    };
    const segments = await solve(graph);
    expect(segments).toEqual(BigUint64Array.from(naive(graph)));
    expect(await solve({ ...graph, edges })).toEqual(segments);
  });
});

describe('every option changes the result', () => {
  const graph = randomGraph();
  const changes: Record<string, [Partial<GraphMutexWatershedOptions>, Partial<GraphMutexWatershedOptions>]> = {
    'a weight': [{}, { weights: { near: [-1, 0.4], far: [0.9, -0.6] } }],
    'a bias': [{}, { weights: { near: [1, -0.7], far: [0.9, -0.6] } }],
    'an attribute less': [{}, { weights: { near: [1, -0.4] } }],
    scales: [{}, { scales: { far: 0.5 } }],
    pseudoCount: [{}, { pseudoCount: 0 }],
    'the default of pseudoCount': [{ pseudoCount: 100 }, { pseudoCount: 0 }],
    edgePerAttr: [{}, { edgePerAttr: false }],
    startingLut: [
      {},
      { startingLut: { fragments: BigUint64Array.of(1n, 4n, 7n), segments: BigUint64Array.of(5n, 5n, 5n) } },
    ],
  };
  for (const [name, [before, after]] of Object.entries(changes)) {
    test(name, async () => {
      const first = await solve(graph, before);
      expect(await solve(graph, before)).toEqual(first);
      expect(await solve(graph, after)).not.toEqual(first);
    });
  }

  test('defaults are one score an attribute and a pseudo-count of 100', async () => {
    const { weights } = graph.options;
    const segments = await graphMutexWatershed(BigUint64Array.from(graph.nodes), graph.edges, { weights });
    expect(segments).toEqual(await solve(graph, { pseudoCount: 100, edgePerAttr: true }));
  });
});

test('scores that float32 cannot tell apart are still ordered in float64', async () => {
  // 1 and 3 attract first, then 2 and 3 repel, a hair before 1 and 2 attract.
  const edges = {
    u: BigUint64Array.of(1n, 1n, 2n),
    v: BigUint64Array.of(2n, 3n, 3n),
    attributes: { a: means([0.75 - 1e-12, 0.75, -0.75 + 5e-13]) },
  };
  const options = { weights: { a: [1, 0] as const }, pseudoCount: 0 };
  expect(await graphMutexWatershed(BigUint64Array.of(1n, 2n, 3n), edges, options)).toEqual(
    BigUint64Array.of(1n, 2n, 1n),
  );
});

test('no nodes, no edges, loops', async () => {
  const none = { u: new BigUint64Array(0), v: new BigUint64Array(0), attributes: { a: means([]) } };
  const options = { weights: { a: [1, -0.5] as const }, pseudoCount: 0 };
  expect(await graphMutexWatershed(new BigUint64Array(0), none, options)).toEqual(new BigUint64Array(0));
  expect(await graphMutexWatershed(BigUint64Array.of(5n, 2n ** 64n - 1n), none, options)).toEqual(
    BigUint64Array.of(5n, 2n ** 64n - 1n),
  );
  const loops = { u: BigUint64Array.of(5n, 5n), v: BigUint64Array.of(5n, 6n), attributes: { a: means([0, 0.9]) } };
  expect(await graphMutexWatershed(BigUint64Array.of(5n, 6n), loops, options)).toEqual(BigUint64Array.of(5n, 5n));
});

describe('bad input is named', () => {
  const graph = randomGraph();
  const { u, v, attributes } = graph.edges;
  const nodes = BigUint64Array.from(graph.nodes);
  const { near } = attributes;
  const notANumber = near.sums.slice();
  notANumber[12] = NaN;
  const counts = near.counts.slice();
  counts[12] = 2;
  type Arguments = Parameters<typeof graphMutexWatershed>;
  const cases: Record<string, [Arguments, string, RegExp]> = {
    'nodes that do not ascend': [
      [nodes.toReversed(), graph.edges, graph.options],
      'ERR_ARGUMENT',
      /nodes: .*found 175 after 178 at 1/,
    ],
    'an edge to no node': [
      [nodes, { ...graph.edges, v: v.with(5, 2n) }, graph.options],
      'ERR_ARGUMENT',
      /found 2 in edge 5/,
    ],
    'an edge beyond the last node': [
      [nodes, { ...graph.edges, u: u.with(0, 999n) }, graph.options],
      'ERR_ARGUMENT',
      /found 999 in edge 0/,
    ],
    'ends of another length': [
      [nodes, { ...graph.edges, v: v.slice(1) }, graph.options],
      'ERR_ARGUMENT',
      /edges\.v: expected 240/,
    ],
    'short sums': [
      [nodes, { u, v, attributes: { ...attributes, near: { ...near, sums: near.sums.slice(1) } } }, graph.options],
      'ERR_ARGUMENT',
      /edges\.attributes\.near\.sums: expected 240/,
    ],
    'short counts': [
      [nodes, { u, v, attributes: { ...attributes, near: { ...near, counts: near.counts.slice(1) } } }, graph.options],
      'ERR_ARGUMENT',
      /near\.counts: expected 240/,
    ],
    'a NaN': [
      [nodes, { u, v, attributes: { ...attributes, near: { sums: notANumber, counts } } }, graph.options],
      'ERR_NOT_A_NUMBER',
      /edge 12 .*near/,
    ],
    'a NaN in a sum of scores': [
      [
        nodes,
        { u, v, attributes: { ...attributes, near: { sums: notANumber, counts } } },
        { ...graph.options, edgePerAttr: false },
      ],
      'ERR_NOT_A_NUMBER',
      /edge 12/,
    ],
    'weights of an unknown attribute': [
      [nodes, graph.edges, { weights: { deep: [1, 0] } }],
      'ERR_ARGUMENT',
      /weights\.deep: .*near, far/,
    ],
    'a weight that is not finite': [
      [nodes, graph.edges, { weights: { near: [1, Infinity] } }],
      'ERR_ARGUMENT',
      /weights\.near/,
    ],
    'a scale without weights': [
      [nodes, graph.edges, { ...graph.options, scales: { deep: 1 } }],
      'ERR_ARGUMENT',
      /scales\.deep/,
    ],
    'a scale that is NaN': [
      [nodes, graph.edges, { ...graph.options, scales: { near: NaN } }],
      'ERR_ARGUMENT',
      /scales\.near/,
    ],
    'a negative pseudo-count': [
      [nodes, graph.edges, { ...graph.options, pseudoCount: -1 }],
      'ERR_ARGUMENT',
      /pseudoCount/,
    ],
    'a LUT of unequal columns': [
      [nodes, graph.edges, { ...graph.options, startingLut: { fragments: nodes, segments: nodes.slice(1) } }],
      'ERR_ARGUMENT',
      /startingLut\.segments: expected 60/,
    ],
    'nodes of another type': [
      [Float64Array.of(1) as unknown as BigUint64Array, graph.edges, graph.options],
      'ERR_ARGUMENT',
      /nodes: expected a BigUint64Array/,
    ],
  };
  for (const [name, [call, code, message]] of Object.entries(cases)) {
    test(name, async () => {
      await expect(graphMutexWatershed(...call)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    });
  }
});

test('an aborted call ends with ERR_CANCELLED', async () => {
  await expect(solve(randomGraph(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
});
