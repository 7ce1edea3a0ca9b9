import { BlockwrightError } from '../errors.js';
import { Coordinate, type CoordinateLike } from './coordinate.js';

/** How {@link Roi.snapToGrid} moves the faces of a box onto a grid. */
export type SnapMode = 'grow' | 'shrink' | 'closest';

/**
 * An immutable half-open box [offset, offset + shape) in world units. A shape with a 0 on any axis is empty; it
 * contains nothing and overlaps nothing.
 */
export class Roi {
  readonly offset: Coordinate;
  readonly shape: Coordinate;
  /** offset + shape: the first corner outside. */
  readonly end: Coordinate;

  constructor(offset: CoordinateLike, shape: CoordinateLike) {
    this.offset = Coordinate.from(offset);
    this.shape = Coordinate.from(shape);
    if (this.offset.dimensions !== this.shape.dimensions) {
      throw new BlockwrightError(
        'ERR_GEOMETRY',
        `roi: offset ${this.offset} and shape ${this.shape} differ in dimensions`,
      );
    }
    if (!this.shape.every(0, (a, b) => a >= b)) {
      throw new BlockwrightError('ERR_GEOMETRY', `roi: expected a shape without negative entries, found ${this.shape}`);
    }
    this.end = this.offset.add(this.shape);
    Object.freeze(this);
  }

  /** The box between two corners; empty where an end lies before its begin. */
  static between(begin: CoordinateLike, end: CoordinateLike): Roi {
    const first = Coordinate.from(begin);
    return new Roi(first, Coordinate.from(end).subtract(first).max(0));
  }

  get begin(): Coordinate {
    return this.offset;
  }

  get dimensions(): number {
    return this.offset.dimensions;
  }

  get empty(): boolean {
    return this.shape.values.includes(0);
  }

  /** Volume in world units to the power of the dimensions. */
  get size(): number {
    return this.shape.product();
  }

  /** Whether a point, or every point of a box, lies inside. An empty box lies inside nothing. */
  contains(other: Roi | CoordinateLike): boolean {
    if (other instanceof Roi) {
      if (other.empty) return false;
      return this.begin.every(other.begin, (a, b) => a <= b) && this.end.every(other.end, (a, b) => a >= b);
    }
    return this.begin.every(other, (a, b) => a <= b) && this.end.every(other, (a, b) => a > b);
  }

  overlaps(other: Roi): boolean {
    if (this.empty || other.empty) return false;
    return this.begin.every(other.end, (a, b) => a < b) && this.end.every(other.begin, (a, b) => a > b);
  }

  /** The common part; an empty box where there is none. */
  intersect(other: Roi): Roi {
    return Roi.between(this.begin.max(other.begin), this.end.min(other.end));
  }

  /** The smallest box around both; an empty box adds nothing. */
  union(other: Roi): Roi {
    if (this.empty) return other;
    if (other.empty) return this;
    return Roi.between(this.begin.min(other.begin), this.end.max(other.end));
  }

  /** Grows by amounts below and above; negative amounts shrink, down to an empty box but never beyond. */
  grow(low: CoordinateLike | number, high: CoordinateLike | number = low): Roi {
    return Roi.between(this.begin.subtract(low), this.end.add(high));
  }

  shrink(low: CoordinateLike | number, high: CoordinateLike | number = low): Roi {
    return Roi.between(this.begin.add(low), this.end.subtract(high));
  }

  translate(by: CoordinateLike | number): Roi {
    return new Roi(this.offset.add(by), this.shape);
  }

  /**
   * Moves the faces to multiples of `grid`: outwards (`grow`), inwards (`shrink`) or to the nearest (halves up). An empty
   * box stays empty.
   */
  snapToGrid(grid: CoordinateLike, mode: SnapMode = 'grow'): Roi {
    const step = Coordinate.from(grid);
    if (!step.every(0, (a, b) => a > b)) {
      throw new BlockwrightError('ERR_GEOMETRY', `roi: expected a grid of positive steps, found ${step}`);
    }
    const down = (c: Coordinate) => c.floorDiv(step).multiply(step);
    const up = (c: Coordinate) => c.ceilDiv(step).multiply(step);
    // floor((2c + s) / 2s): the nearest multiple, halves up, without leaving the integers
    const near = (c: Coordinate) => c.multiply(2).add(step).floorDiv(step.multiply(2)).multiply(step);
    if (this.empty) return new Roi(near(this.begin), Coordinate.filled(this.dimensions, 0));
    if (mode === 'grow') return Roi.between(down(this.begin), up(this.end));
    if (mode === 'shrink') return Roi.between(up(this.begin), down(this.end));
    return Roi.between(near(this.begin), near(this.end));
  }

  /** World units to voxels; throws ERR_GEOMETRY unless both faces lie on the grid of `voxelSize`. */
  inVoxels(voxelSize: CoordinateLike): Roi {
    return new Roi(this.offset.divide(voxelSize), this.shape.divide(voxelSize));
  }

  /** Voxels to world units. */
  inWorldUnits(voxelSize: CoordinateLike): Roi {
    return new Roi(this.offset.multiply(voxelSize), this.shape.multiply(voxelSize));
  }

  equals(other: Roi): boolean {
    return this.offset.equals(other.offset) && this.shape.equals(other.shape);
  }

  toString(): string {
    const axes = this.offset.values.map((begin, axis) => `${begin}:${begin + this.shape.at(axis)}`);
    return `[${axes.join(', ')}] (${this.shape.values.join(', ')})`;
  }

  toJSON(): { offset: readonly number[]; shape: readonly number[] } {
    return { offset: this.offset.values, shape: this.shape.values };
  }
}
