import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { findSharedChunk, sharedChunkError, type WriteGrid } from '../../lib/storage/chunk-conflicts.js';

interface Axis {
  readonly shape: number;
  readonly chunk: number;
  readonly begin: number;
  readonly block: number;
  readonly blocks: number;
  readonly totalBegin: number;
  readonly totalLength: number;
}

const axis: fc.Arbitrary<Axis> = fc.record({
  shape: fc.integer({ min: 1, max: 24 }),
  chunk: fc.integer({ min: 1, max: 9 }),
  begin: fc.integer({ min: -9, max: 12 }),
  block: fc.integer({ min: 1, max: 12 }),
  blocks: fc.integer({ min: 1, max: 4 }),
  totalBegin: fc.integer({ min: -9, max: 12 }),
  totalLength: fc.nat(40),
});

const VOXEL = 4;
const OFFSET = -20;

function arrayOf(axes: readonly Axis[]) {
  return {
    shape: [3, ...axes.map(({ shape }) => shape)],
    chunkShape: [2, ...axes.map(({ chunk }) => chunk)],
    channelAxes: 1,
    offset: Coordinate.filled(axes.length, OFFSET),
    voxelSize: Coordinate.filled(axes.length, VOXEL),
  };
}

function gridOf(axes: readonly Axis[], block = axes.map((one) => one.block)): WriteGrid {
  const world = (values: readonly number[]) => values.map((value) => value * VOXEL + OFFSET);
  return {
    begin: new Coordinate(world(axes.map(({ begin }) => begin))),
    blockShape: new Coordinate(block.map((value) => value * VOXEL)),
    // With other blocks: as many as cover the same extent.
    gridShape: axes.map((one, index) => Math.ceil((one.blocks * one.block) / block[index])),
    total: new Roi(
      world(axes.map(({ totalBegin }) => totalBegin)),
      axes.map(({ totalLength }) => totalLength * VOXEL),
    ),
  };
}

/** The slow twin: which block writes each chunk, voxel by voxel. */
function sharesChunk(axes: readonly Axis[], block: readonly number[], gridShape: readonly number[]): boolean {
  const writers = axes.map((one, index) => {
    const list: [number, number][] = [];
    for (let voxel = 0; voxel < one.shape; voxel += 1) {
      const writer = Math.floor((voxel - one.begin) / block[index]);
      const inTotal = voxel >= one.totalBegin && voxel < one.totalBegin + one.totalLength;
      if (writer >= 0 && writer < gridShape[index] && inTotal) list.push([writer, Math.floor(voxel / one.chunk)]);
    }
    return list;
  });
  const owner = new Map<string, string>();
  const visit = (depth: number, blocks: string, chunks: string): boolean => {
    if (depth === axes.length) {
      const first = owner.get(chunks) ?? blocks;
      owner.set(chunks, first);
      return first !== blocks;
    }
    return writers[depth].some(([writer, chunk]) => visit(depth + 1, `${blocks},${writer}`, `${chunks},${chunk}`));
  };
  return visit(0, '', '');
}

describe('blocks that write one chunk', () => {
  test('are found exactly when a voxel-by-voxel search finds them, and the suggestion works', () => {
    fc.assert(
      fc.property(fc.array(axis, { minLength: 1, maxLength: 3 }), (axes) => {
        const grid = gridOf(axes);
        const shared = findSharedChunk(arrayOf(axes), grid);
        const block = axes.map((one) => one.block);
        expect(shared !== undefined).toBe(sharesChunk(axes, block, grid.gridShape));
        if (shared === undefined) return;
        expect(shared.blockShapeInVoxels).toEqual(block);
        expect(shared.suggestion).not.toEqual(block);
        const better = gridOf(axes, [...shared.suggestion]);
        expect(findSharedChunk(arrayOf(axes), better)).toBeUndefined();
        expect(sharesChunk(axes, shared.suggestion, better.gridShape)).toBe(false);
      }),
      { seed: 20261122, numRuns: 2000 },
    );
  });

  test('the suggestion is the nearest multiple of the chunk', () => {
    const one = { shape: 100, chunk: 8, begin: 0, block: 20, blocks: 5, totalBegin: 0, totalLength: 100 };
    expect(findSharedChunk(arrayOf([one]), gridOf([one]))).toEqual({
      unit: 'chunk',
      axis: 0,
      chunkShape: [8],
      blockShapeInVoxels: [20],
      beginInVoxels: [0],
      suggestion: [24],
    });
  });

  test('the refusal names the array, both shapes and a block that works, or the begin that does not', () => {
    const aligned = { shape: 100, chunk: 8, begin: 0, block: 20, blocks: 5, totalBegin: 0, totalLength: 100 };
    const shifted = { ...aligned, begin: 4, block: 8, blocks: 12 };
    const refusal = (one: Axis) =>
      sharedChunkError('a.zarr/fragments', findSharedChunk(arrayOf([one]), gridOf([one]))!);
    expect(refusal(aligned).code).toBe('ERR_CHUNK_SHARED');
    expect(refusal(aligned).message).toBe(
      'a.zarr/fragments: blocks of [20] voxels would write into the same chunk of [8] along axis 0; blocks of [24] voxels work',
    );
    expect(refusal(shifted).message).toContain('begins at voxel 4, inside a chunk: begin at a multiple of 8');
  });

  test('where there are shards, those are what blocks must not share', () => {
    const one = { shape: 96, chunk: 24, begin: 0, block: 24, blocks: 4, totalBegin: 0, totalLength: 96 };
    const array = { ...arrayOf([one]), chunkShape: [2, 8], shardShape: [2, 24] };
    expect(findSharedChunk(array, gridOf([one]))).toBeUndefined();
    const shared = findSharedChunk(array, gridOf([one], [16]));
    expect(shared).toMatchObject({ unit: 'shard', chunkShape: [24], suggestion: [24] });
    expect(sharedChunkError('a.zarr', shared!).message).toBe(
      'a.zarr: blocks of [16] voxels would write into the same shard of [24] along axis 0; blocks of [24] voxels work',
    );
  });

  test('a billion blocks an axis take no longer', () => {
    const one = { shape: 8e9, chunk: 8, begin: 0, block: 8, blocks: 1e9, totalBegin: 0, totalLength: 8e9 };
    expect(findSharedChunk(arrayOf([one, one, one]), gridOf([one, one, one]))).toBeUndefined();
  });

  test('a grid that does not lie on voxels is refused', () => {
    const one = { shape: 8, chunk: 4, begin: 0, block: 4, blocks: 2, totalBegin: 0, totalLength: 8 };
    const grid = { ...gridOf([one]), begin: new Coordinate([OFFSET + 1]) };
    expect(() => findSharedChunk(arrayOf([one]), grid)).toThrow(/not a multiple/);
  });
});
