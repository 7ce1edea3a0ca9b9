import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, messageOf } from '../../lib/errors.js';
import { Coordinate, ceilDiv, floorDiv } from '../../lib/geometry/coordinate.js';

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return `${codeOf(error)}: ${messageOf(error)}`;
  }
  throw new Error('expected an error');
}

const LARGEST = Number.MAX_SAFE_INTEGER;
const whole = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.maxSafeInteger());
const divisor = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.maxSafeInteger()).filter((value) => value !== 0);

/** Pairs of vectors of the same length, small enough for any product. */
const vectors = fc.integer({ min: 1, max: 6 }).chain((dimensions) => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: dimensions, maxLength: dimensions });
  return fc.tuple(values, values);
});

describe('division', () => {
  test.each([
    [7, 2, 3, 4],
    [-7, 2, -4, -3],
    [7, -2, -4, -3],
    [-7, -2, 3, 4],
    [6, 3, 2, 2],
    [-1, 4, -1, 0],
    [1, 4, 0, 1],
    [0, -5, 0, 0],
    [LARGEST, 2, 2 ** 52 - 1, 2 ** 52],
    [-LARGEST, 2, -(2 ** 52), -(2 ** 52) + 1],
    [LARGEST, LARGEST, 1, 1],
  ])('%d by %d is %d down and %d up', (a, b, down, up) => {
    expect(floorDiv(a, b)).toBe(down);
    expect(ceilDiv(a, b)).toBe(up);
  });

  test('equals division of big integers', () => {
    fc.assert(
      fc.property(whole, divisor, (a, b) => {
        const [dividend, by] = [BigInt(a), BigInt(b)];
        const quotient = dividend / by;
        const remainder = dividend % by;
        const below = remainder !== 0n && remainder < 0n !== by < 0n ? quotient - 1n : quotient;
        expect(floorDiv(a, b)).toBe(Number(below));
        expect(ceilDiv(a, b)).toBe(Number(remainder === 0n ? quotient : below + 1n));
        expect(new Coordinate([a]).modulo(b).at(0)).toBe(Number(dividend - below * by));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('is exact or refused', () => {
    expect([...new Coordinate([12, -8]).divide([4, 2])]).toEqual([3, -4]);
    expect(refusal(() => new Coordinate([12, -7]).divide([4, 2]))).toContain('[12, -7] is not a multiple of');
    expect(refusal(() => new Coordinate([12]).divide(0))).toContain('ERR_GEOMETRY');
    for (const call of [() => floorDiv(1, 0), () => ceilDiv(1, 0), () => new Coordinate([1]).modulo(0)]) {
      expect(refusal(call)).toBe('ERR_GEOMETRY: coordinate: division by zero');
    }
  });
});

describe('arithmetic', () => {
  test('works axis by axis, with a coordinate or one number', () => {
    fc.assert(
      fc.property(vectors, fc.integer({ min: -9, max: 9 }), ([a, b], n) => {
        const coordinate = new Coordinate(a);
        const each = (operation: (x: number, y: number) => number) => a.map((x, i) => operation(x, b[i]) + 0);
        expect([...coordinate.add(b)]).toEqual(each((x, y) => x + y));
        expect([...coordinate.subtract(new Coordinate(b))]).toEqual(each((x, y) => x - y));
        expect([...coordinate.multiply(b)]).toEqual(each((x, y) => x * y));
        expect([...coordinate.min(b)]).toEqual(each(Math.min));
        expect([...coordinate.max(b)]).toEqual(each(Math.max));
        expect([...coordinate.add(n)]).toEqual(a.map((x) => x + n));
        expect([...coordinate.negate()]).toEqual(a.map((x) => 0 - x));
        expect([...coordinate.abs()]).toEqual(a.map(Math.abs));
        expect(coordinate.add(b).subtract(b).equals(a)).toBe(true);
        expect(coordinate.equals(b)).toBe(a.every((x, i) => x === b[i]));
        expect(coordinate.every(b, (x, y) => x <= y)).toBe(a.every((x, i) => x <= b[i]));
        expect(coordinate.every(n, (x, y) => x > y)).toBe(a.every((x) => x > n));
        if (b.every((y) => y !== 0)) {
          expect([...coordinate.multiply(b).divide(b)]).toEqual(a);
          const rest = coordinate.modulo(b);
          expect(coordinate.floorDiv(b).multiply(b).add(rest).equals(a)).toBe(true);
          expect(rest.abs().every(new Coordinate(b).abs(), (x, y) => x < y)).toBe(true);
          expect(coordinate.ceilDiv(b).equals(coordinate.negate().floorDiv(b).negate())).toBe(true);
        }
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test('never gives a negative zero', () => {
    const zero = new Coordinate([-0]);
    const results = [
      zero,
      zero.negate(),
      zero.multiply(-3),
      zero.divide(-2),
      zero.floorDiv(-2),
      new Coordinate([-4]).modulo(2),
    ];
    for (const result of results) expect(Object.is(result.at(0), 0)).toBe(true);
    expect(Object.is(new Coordinate([-1, 0]).product(), 0)).toBe(true);
    expect(Object.is(floorDiv(-0, 5), 0)).toBe(true);
    expect(Object.is(ceilDiv(-1, 5), 0)).toBe(true);
  });

  test('refuses what leaves the whole numbers that are exact', () => {
    const message = 'ERR_GEOMETRY: coordinate: expected whole numbers within ±(2^53 - 1), found';
    expect(refusal(() => new Coordinate([LARGEST]).add(1))).toContain(message);
    expect(refusal(() => new Coordinate([LARGEST]).multiply(2))).toContain(message);
    expect(refusal(() => new Coordinate([1]).multiply(0.5))).toContain(message);
    expect(refusal(() => new Coordinate([2 ** 30, 2 ** 30]).product())).toContain('exceeds 2^53 - 1');
    expect(new Coordinate([2 ** 40, 2 ** 40, 0]).product()).toBe(0);
    expect(new Coordinate([3, -4, 5]).product()).toBe(-60);
  });
});

describe('a coordinate', () => {
  test.each([[[1, 2, 3, 4, 5, 6, 7]], [[0.5]], [[Number.NaN]], [[Number.POSITIVE_INFINITY]], [[2 ** 53]], [['1']]])(
    'is not made of %j',
    (values) =>
      expect(refusal(() => new Coordinate(values as number[]))).toContain('ERR_GEOMETRY: coordinate: expected'),
  );

  test('does not change, whatever it was made from', () => {
    const values = [1, 2];
    const coordinate = new Coordinate(values);
    values[0] = 9;
    expect([...coordinate]).toEqual([1, 2]);
    expect(Object.isFrozen(coordinate)).toBe(true);
    expect(Object.isFrozen(coordinate.values)).toBe(true);
    expect(Coordinate.from(coordinate)).toBe(coordinate);
  });

  test('is read as text, as JSON, by axis', () => {
    const coordinate = Coordinate.filled(3, 4).add([0, 1, 2]);
    expect(`${coordinate}`).toBe('[4, 5, 6]');
    expect(JSON.stringify(coordinate)).toBe('[4,5,6]');
    expect([coordinate.dimensions, coordinate.at(2)]).toEqual([3, 6]);
  });

  test('meets only coordinates of as many dimensions', () => {
    const message = 'expected 2 dimensions as in [1, 2], found 3 in [1, 2, 3]';
    expect(refusal(() => new Coordinate([1, 2]).add([1, 2, 3]))).toContain(message);
    expect(refusal(() => new Coordinate([1, 2]).every([1, 2, 3], () => true))).toContain(message);
    expect(new Coordinate([1, 2]).equals([1, 2, 3])).toBe(false);
  });
});
