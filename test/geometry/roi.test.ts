import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, messageOf } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return `${codeOf(error)}: ${messageOf(error)}`;
  }
  throw new Error('expected an error');
}

const SIZE = 7;

/** Boxes in the square [-3, 4) x [-3, 4), some of them empty: small enough to compare as sets of points. */
const box = fc
  .tuple(...[0, 1].map(() => fc.tuple(fc.integer({ min: 0, max: SIZE }), fc.integer({ min: 0, max: SIZE }))))
  .map((sides) => {
    const begin = sides.map(([a, b]) => Math.min(a, b) - 3);
    return new Roi(
      begin,
      sides.map(([a, b]) => Math.abs(a - b)),
    );
  });

/** The points of a box as text. */
function pointsOf(roi: Roi): Set<string> {
  const points = new Set<string>();
  for (let y = roi.begin.at(0); y < roi.end.at(0); y++) {
    for (let x = roi.begin.at(1); x < roi.end.at(1); x++) points.add(`${y} ${x}`);
  }
  return points;
}

const runs = { seed: 3, numRuns: 400 };

describe('boxes are sets of points', () => {
  test('contains, overlaps, intersect, union', () => {
    fc.assert(
      fc.property(box, box, (a, b) => {
        const [inA, inB] = [pointsOf(a), pointsOf(b)];
        const both = new Set([...inA].filter((point) => inB.has(point)));
        expect(pointsOf(a.intersect(b))).toEqual(both);
        expect(a.intersect(b).empty).toBe(both.size === 0);
        expect(a.overlaps(b)).toBe(both.size > 0);
        expect(a.contains(b)).toBe(inB.size > 0 && both.size === inB.size);
        expect(a.size).toBe(inA.size);
        expect(a.empty).toBe(inA.size === 0);
        for (let y = -4; y < 5; y++) for (let x = -4; x < 5; x++) expect(a.contains([y, x])).toBe(inA.has(`${y} ${x}`));
        const union = a.union(b);
        for (const point of [...inA, ...inB]) expect(pointsOf(union).has(point)).toBe(true);
        // the smallest: no face can move inwards
        if (!union.empty) {
          for (const [low, high] of [
            [[1, 0], 0],
            [[0, 1], 0],
            [0, [1, 0]],
            [0, [0, 1]],
          ] as const) {
            const smaller = pointsOf(union.shrink(low, high));
            expect([...inA, ...inB].every((point) => smaller.has(point))).toBe(false);
          }
        }
      }),
      runs,
    );
  });

  test('grow, shrink, translate', () => {
    const amounts = fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -4, max: 4 }));
    fc.assert(
      fc.property(box, amounts, amounts, (a, low, high) => {
        const grown = a.grow(low, high);
        const expected = [0, 1].map((i) => Math.max(a.shape.at(i) + low[i] + high[i], 0));
        expect([...grown.shape]).toEqual(expected);
        expect(grown.begin.equals(a.begin.subtract(low))).toBe(true);
        expect(a.shrink(low, high).equals(a.grow(Coordinate.from(low).negate(), Coordinate.from(high).negate()))).toBe(
          true,
        );
        expect(a.grow(2).equals(a.grow([2, 2], [2, 2]))).toBe(true);
        expect(a.translate(low).translate(Coordinate.from(low).negate()).equals(a)).toBe(true);
        expect(a.translate(1).begin.equals(a.begin.add(1))).toBe(true);
      }),
      runs,
    );
  });

  test('snapToGrid gives the nearest multiples in each direction', () => {
    const grid = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(box, grid, (a, step) => {
        for (const mode of ['grow', 'shrink', 'closest'] as const) {
          const snapped = a.snapToGrid(step, mode);
          expect([...snapped.begin.modulo(step), ...snapped.shape.modulo(step)]).toEqual([0, 0, 0, 0]);
          if (a.empty) expect(snapped.empty).toBe(true);
        }
        if (a.empty) return;
        const grown = a.snapToGrid(step);
        expect(grown.contains(a)).toBe(true);
        expect(a.begin.subtract(grown.begin).every(step, (x, y) => x < y)).toBe(true);
        expect(grown.end.subtract(a.end).every(step, (x, y) => x < y)).toBe(true);
        const shrunk = a.snapToGrid(step, 'shrink');
        if (!shrunk.empty) {
          expect(a.contains(shrunk)).toBe(true);
          expect(a.contains(shrunk.grow(step, 0)) || a.contains(shrunk.grow(0, step))).toBe(false);
        }
        const near = a.snapToGrid(step, 'closest');
        expect(
          near.begin
            .subtract(a.begin)
            .multiply(2)
            .every(step, (x, y) => x <= y && x > -y),
        ).toBe(true);
      }),
      runs,
    );
  });
});

describe('a box', () => {
  test('is read as text and JSON', () => {
    const roi = new Roi([1, -2], [3, 4]);
    expect(`${roi}`).toBe('[1:4, -2:2] (3, 4)');
    expect(JSON.stringify(roi)).toBe('{"offset":[1,-2],"shape":[3,4]}');
    expect([...roi.end]).toEqual([4, 2]);
    expect(roi.dimensions).toBe(2);
    expect(Object.isFrozen(roi)).toBe(true);
    expect(Roi.between([1, -2], [4, 2]).equals(roi)).toBe(true);
    expect(Roi.between([1, -2], [0, 2]).shape.equals([0, 4])).toBe(true);
    expect(roi.equals(new Roi([1, -2], [3, 5]))).toBe(false);
  });

  test('halves round up', () => {
    expect(`${new Roi([2, -2], [8, 4]).snapToGrid([4, 4], 'closest')}`).toBe('[4:12, 0:4] (8, 4)');
  });

  test('goes to voxels and back where it lies on the grid', () => {
    const roi = new Roi([-8, 30], [16, 90]);
    expect(`${roi.inVoxels([4, 30])}`).toBe('[-2:2, 1:4] (4, 3)');
    expect(roi.inVoxels([4, 30]).inWorldUnits([4, 30]).equals(roi)).toBe(true);
    expect(refusal(() => roi.inVoxels([4, 60]))).toContain('ERR_GEOMETRY: coordinate: [-8, 30] is not a multiple of');
    expect(refusal(() => roi.inVoxels([4, 0]))).toContain('ERR_GEOMETRY');
  });

  test('refuses what is no box', () => {
    expect(refusal(() => new Roi([0, 0], [1]))).toContain('roi: offset [0, 0] and shape [1] differ in dimensions');
    expect(refusal(() => new Roi([0], [-1]))).toContain('without negative entries, found [-1]');
    expect(refusal(() => new Roi([Number.MAX_SAFE_INTEGER], [1]))).toContain('ERR_GEOMETRY');
    expect(refusal(() => new Roi([0], [8]).snapToGrid([0]))).toContain('expected a grid of positive steps, found [0]');
    expect(refusal(() => new Roi([0], [8]).contains([0, 0]))).toContain('expected 1 dimensions');
    expect(refusal(() => new Roi([0], [8]).intersect(new Roi([0, 0], [1, 1])))).toContain('expected 1 dimensions');
  });
});
