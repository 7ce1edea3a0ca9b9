import { BlockwrightError } from '../errors.js';

/** Anything that can stand for a coordinate in a call. */
export type CoordinateLike = Coordinate | readonly number[];

const MAX_DIMENSIONS = 6;

/**
 * An immutable integer vector of up to 6 dimensions, in the order in which the array is stored (z, y, x).
 *
 * Arithmetic is elementwise, with another coordinate or one number for all axes. Nothing is truncated silently:
 * {@link floorDiv} and {@link ceilDiv} say which way they round, {@link divide} throws unless the division is exact.
 */
export class Coordinate implements Iterable<number> {
  readonly values: readonly number[];

  constructor(values: readonly number[]) {
    if (values.length > MAX_DIMENSIONS) {
      throw new BlockwrightError('ERR_GEOMETRY', `coordinate: expected at most 6 dimensions, found ${values.length}`);
    }
    const own: number[] = [];
    for (let axis = 0; axis < values.length; axis++) {
      if (!Number.isSafeInteger(values[axis])) {
        throw new BlockwrightError(
          'ERR_GEOMETRY',
          `coordinate: expected whole numbers within ±(2^53 - 1), found [${values.join(', ')}]`,
        );
      }
      own.push(values[axis] + 0);
    }
    this.values = Object.freeze(own);
    Object.freeze(this);
  }

  static from(value: CoordinateLike): Coordinate {
    return value instanceof Coordinate ? value : new Coordinate(value);
  }

  /** The same value on every axis. */
  static filled(dimensions: number, value: number): Coordinate {
    return new Coordinate(new Array<number>(dimensions).fill(value));
  }

  get dimensions(): number {
    return this.values.length;
  }

  at(axis: number): number {
    return this.values[axis];
  }

  [Symbol.iterator](): Iterator<number> {
    return this.values[Symbol.iterator]();
  }

  add(other: CoordinateLike | number): Coordinate {
    return this.zip(other, (a, b) => a + b);
  }

  subtract(other: CoordinateLike | number): Coordinate {
    return this.zip(other, (a, b) => a - b);
  }

  multiply(other: CoordinateLike | number): Coordinate {
    return this.zip(other, (a, b) => a * b);
  }

  /** Exact division; throws ERR_GEOMETRY when any axis leaves a remainder. */
  divide(other: CoordinateLike | number): Coordinate {
    return this.zip(other, (a, b) => {
      if (b === 0 || a % b !== 0) {
        throw new BlockwrightError('ERR_GEOMETRY', `coordinate: ${this} is not a multiple of ${other}`);
      }
      return a / b;
    });
  }

  /** Rounds towards negative infinity: floorDiv(-1, 4) = -1. */
  floorDiv(other: CoordinateLike | number): Coordinate {
    return this.zip(other, floorDiv);
  }

  /** Rounds towards positive infinity: ceilDiv(1, 4) = 1. */
  ceilDiv(other: CoordinateLike | number): Coordinate {
    return this.zip(other, ceilDiv);
  }

  /** The remainder in [0, divisor) for a positive divisor. */
  modulo(other: CoordinateLike | number): Coordinate {
    return this.zip(other, (a, b) => {
      checkDivisor(b);
      const remainder = a % b; // with the sign of a
      return remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder;
    });
  }

  min(other: CoordinateLike | number): Coordinate {
    return this.zip(other, Math.min);
  }

  max(other: CoordinateLike | number): Coordinate {
    return this.zip(other, Math.max);
  }

  negate(): Coordinate {
    return new Coordinate(this.values.map((value) => -value));
  }

  abs(): Coordinate {
    return new Coordinate(this.values.map(Math.abs));
  }

  equals(other: CoordinateLike): boolean {
    const b = Coordinate.from(other).values;
    return b.length === this.values.length && this.values.every((value, axis) => value === b[axis]);
  }

  /** Whether the relation holds on every axis. */
  every(other: CoordinateLike | number, relation: (a: number, b: number) => boolean): boolean {
    const b = this.broadcast(other);
    for (let axis = 0; axis < this.values.length; axis++) {
      if (!relation(this.values[axis], typeof b === 'number' ? b : b[axis])) return false;
    }
    return true;
  }

  /** The product of all entries; throws ERR_GEOMETRY beyond 2^53 - 1. */
  product(): number {
    const result = this.values.reduce((product, value) => product * value, 1) + 0;
    if (!Number.isSafeInteger(result)) {
      throw new BlockwrightError('ERR_GEOMETRY', `coordinate: the product of ${this} exceeds 2^53 - 1`);
    }
    return result;
  }

  toString(): string {
    return `[${this.values.join(', ')}]`;
  }

  toJSON(): readonly number[] {
    return this.values;
  }

  /** One number for all axes, or one for each: blocks are made by the million, so no loop here makes arrays or closures. */
  private broadcast(other: CoordinateLike | number): number | readonly number[] {
    if (typeof other === 'number') return other;
    const { values } = Coordinate.from(other);
    if (values.length !== this.values.length) {
      throw new BlockwrightError(
        'ERR_GEOMETRY',
        `coordinate: expected ${this.values.length} dimensions as in ${this}, found ${values.length} in [${values.join(', ')}]`,
      );
    }
    return values;
  }

  private zip(other: CoordinateLike | number, operation: (a: number, b: number) => number): Coordinate {
    const b = this.broadcast(other);
    const result: number[] = [];
    for (let axis = 0; axis < this.values.length; axis++) {
      result.push(operation(this.values[axis], typeof b === 'number' ? b : b[axis]));
    }
    return new Coordinate(result);
  }
}

function checkDivisor(b: number): void {
  if (b === 0) throw new BlockwrightError('ERR_GEOMETRY', 'coordinate: division by zero');
}

/** Integer division that rounds towards negative infinity; exact for safe integers. */
export function floorDiv(a: number, b: number): number {
  checkDivisor(b);
  const remainder = a % b;
  return (a - remainder) / b - (remainder !== 0 && remainder < 0 !== b < 0 ? 1 : 0) + 0;
}

/** Integer division that rounds towards positive infinity; exact for safe integers. */
export function ceilDiv(a: number, b: number): number {
  checkDivisor(b);
  const remainder = a % b;
  return (a - remainder) / b + (remainder !== 0 && remainder < 0 === b < 0 ? 1 : 0) + 0;
}
