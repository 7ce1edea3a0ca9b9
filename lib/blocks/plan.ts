import { BlockwrightError } from '../errors.js';
import { Coordinate, type CoordinateLike } from '../geometry/coordinate.js';
import { Roi } from '../geometry/roi.js';
import type { Block, Fit } from './block.js';
import { BlockAxis } from './block-axis.js';
import { emptyGridRange, type GridRange, gridRangeCount } from './grid-range.js';

const FITS: readonly Fit[] = ['valid', 'overhang', 'shrink'];

/** How a volume is cut into blocks. All Rois and shapes are in world units. */
export interface BlockPlanOptions {
  /** What the blocks write together; the grid of blocks begins at its offset. */
  readonly totalWriteRoi: Roi;
  /** What one block writes. */
  readonly blockShape: CoordinateLike;
  /** What a block reads below its writeRoi. @default 0 */
  readonly contextLow?: CoordinateLike | undefined;
  /** What a block reads above its writeRoi. @default 0 */
  readonly contextHigh?: CoordinateLike | undefined;
  /** @default 'shrink' */
  readonly fit?: Fit | undefined;
  /** Blocks read what their neighbours write, so neighbours never run at once. @default false */
  readonly readWriteConflict?: boolean | undefined;
}

/** The same by read and write Rois: those of one block are relative to each other and may begin anywhere. */
export interface BlockPlanRois {
  readonly totalReadRoi: Roi;
  readonly blockReadRoi: Roi;
  readonly blockWriteRoi: Roi;
  readonly fit?: Fit | undefined;
  readonly readWriteConflict?: boolean | undefined;
}

/** A plan as data: for the plan's hash and for the wire. */
export interface BlockPlanJson {
  readonly totalWriteRoi: { readonly offset: readonly number[]; readonly shape: readonly number[] };
  readonly blockShape: readonly number[];
  readonly contextLow: readonly number[];
  readonly contextHigh: readonly number[];
  readonly fit: Fit;
  readonly readWriteConflict: boolean;
}

/**
 * The blocks of one task: which there are, what each reads and writes, which must be done before which. Immutable, and
 * plain arithmetic: nothing is stored per block, so 10^9 blocks cost no more than one. A block is named by its raster
 * (C order) index in the grid, 0..count-1, a number up to 2^53 - 1.
 *
 * `fit` says what happens where the block shape does not divide the total (`|` total write Roi, `[]` writeRois, `r`
 * context that is read):
 *
 *                      |<---------- total write ---------->|
 *     valid        rrrr[ block 0  ][ block 1  ][ block 2  ]rrrr     the rest is left out
 *     overhang     rrrr[ block 0  ][ block 1  ][ block 2  ][ block 3  ]rrrr     the last block leaves the total
 *     shrink       rrrr[ block 0  ][ block 1  ][ block 2  ][  3 ]rrrr     the last block is cut at the total
 *
 * Under `readWriteConflict` the blocks are sorted into {@link levels}: the blocks of one level are too far apart for one
 * to read what another writes. A block waits for its neighbours in the level before its own ({@link upstream}), which
 * orders, through them, every two blocks of which one reads what the other writes. Levels and neighbours are daisy's.
 *
 * With `valid` and a total smaller than a block there are no blocks: `count` is 0, and whoever wants a result must
 * refuse that.
 */
export class BlockPlan {
  /** What all blocks write together before `overhang` adds or `valid` leaves out anything. */
  readonly totalWriteRoi: Roi;
  readonly blockShape: Coordinate;
  readonly contextLow: Coordinate;
  readonly contextHigh: Coordinate;
  readonly fit: Fit;
  readonly readWriteConflict: boolean;
  /** How many blocks there are. */
  readonly count: number;
  /** Blocks along each axis; 0 where `valid` leaves none (then it is no {@link Coordinate} one can divide by). */
  readonly gridShape: Coordinate;
  /** How many levels the blocks are sorted into: 1 without conflicts, 0 under conflicts when there are no blocks. */
  readonly levels: number;
  /** The arithmetic along each axis. */
  readonly axes: readonly BlockAxis[];

  constructor(options: BlockPlanOptions) {
    const { totalWriteRoi, fit = 'shrink', readWriteConflict = false } = options;
    const { dimensions } = totalWriteRoi;
    const zeros = Coordinate.filled(dimensions, 0);
    this.totalWriteRoi = totalWriteRoi;
    this.blockShape = checked('blockShape', options.blockShape, dimensions, 1);
    this.contextLow = checked('contextLow', options.contextLow ?? zeros, dimensions, 0);
    this.contextHigh = checked('contextHigh', options.contextHigh ?? zeros, dimensions, 0);
    this.fit = fit;
    this.readWriteConflict = readWriteConflict;
    if (totalWriteRoi.empty) {
      throw new BlockwrightError('ERR_PLAN', `totalWriteRoi: expected a box that is not empty, found ${totalWriteRoi}`);
    }
    if (!FITS.includes(fit)) {
      throw new BlockwrightError('ERR_PLAN', `fit: expected ${FITS.join(', ')}, found ${JSON.stringify(fit)}`);
    }
    this.axes = Object.freeze(
      totalWriteRoi.offset.values.map(
        (origin, axis) =>
          new BlockAxis(
            origin,
            totalWriteRoi.shape.at(axis),
            this.blockShape.at(axis),
            this.contextLow.at(axis),
            this.contextHigh.at(axis),
            fit,
            readWriteConflict,
          ),
      ),
    );
    this.gridShape = new Coordinate(this.axes.map((axis) => axis.count));
    this.count = this.axes.reduce((product, axis) => product * axis.count, 1);
    this.levels = this.axes.reduce((product, axis) => product * axis.levels, 1);
    if (!Number.isSafeInteger(this.count)) {
      throw new BlockwrightError(
        'ERR_PLAN',
        `blockShape: expected at most 2^53 - 1 blocks, found a grid of ${this.gridShape} blocks of ${this.blockShape}`,
      );
    }
    Object.freeze(this);
  }

  /** A plan from read and write Rois: total write Roi = total read Roi shrunk by the context. */
  static fromRois(rois: BlockPlanRois): BlockPlan {
    const { totalReadRoi, blockReadRoi, blockWriteRoi, fit, readWriteConflict } = rois;
    const { dimensions } = totalReadRoi;
    sameDimensions('blockReadRoi', blockReadRoi, dimensions);
    sameDimensions('blockWriteRoi', blockWriteRoi, dimensions);
    const contextLow = blockWriteRoi.begin.subtract(blockReadRoi.begin);
    const contextHigh = blockReadRoi.end.subtract(blockWriteRoi.end);
    if (!contextLow.every(0, atLeast) || !contextHigh.every(0, atLeast)) {
      throw new BlockwrightError(
        'ERR_PLAN',
        `blockReadRoi: expected a box that contains blockWriteRoi ${blockWriteRoi}, found ${blockReadRoi}`,
      );
    }
    const totalWriteRoi = totalReadRoi.shrink(contextLow, contextHigh);
    if (totalWriteRoi.empty) {
      throw new BlockwrightError(
        'ERR_PLAN',
        `totalReadRoi: expected a box larger than the context ${contextLow} below and ${contextHigh} above, found ${totalReadRoi}`,
      );
    }
    return new BlockPlan({
      totalWriteRoi,
      blockShape: blockWriteRoi.shape,
      contextLow,
      contextHigh,
      fit,
      readWriteConflict,
    });
  }

  /** A plan from what {@link toJSON} gave. */
  static fromJSON(json: BlockPlanJson): BlockPlan {
    return new BlockPlan({ ...json, totalWriteRoi: new Roi(json.totalWriteRoi.offset, json.totalWriteRoi.shape) });
  }

  get dimensions(): number {
    return this.axes.length;
  }

  /** The total write Roi grown by the context. */
  get totalReadRoi(): Roi {
    return this.totalWriteRoi.grow(this.contextLow, this.contextHigh);
  }

  block(index: number): Block {
    return { index, readRoi: this.readRoi(index), writeRoi: this.writeRoi(index) };
  }

  writeRoi(index: number): Roi {
    const position = this.gridPosition(index);
    return Roi.between(
      this.axes.map((axis, i) => axis.writeBegin(position.at(i))),
      this.axes.map((axis, i) => axis.writeEnd(position.at(i))),
    );
  }

  readRoi(index: number): Roi {
    const position = this.gridPosition(index);
    return Roi.between(
      this.axes.map((axis, i) => axis.readBegin(position.at(i))),
      this.axes.map((axis, i) => axis.readEnd(position.at(i))),
    );
  }

  /** Where a block lies in the grid. */
  gridPosition(index: number): Coordinate {
    this.checkIndex(index);
    const position = new Array<number>(this.axes.length);
    let rest = index;
    for (let i = this.axes.length - 1; i >= 0; i--) {
      const above = Math.floor(rest / this.axes[i].count);
      position[i] = rest - above * this.axes[i].count;
      rest = above;
    }
    return new Coordinate(position);
  }

  /** The block at a position of the grid. */
  indexOf(gridPosition: CoordinateLike): number {
    const position = Coordinate.from(gridPosition);
    if (!position.every(0, atLeast) || !position.every(this.gridShape, (a, b) => a < b)) {
      throw new BlockwrightError(
        'ERR_PLAN',
        `gridPosition: expected a position in a grid of ${this.gridShape} blocks, found ${position}`,
      );
    }
    return this.axes.reduce((index, axis, i) => index * axis.count + position.at(i), 0);
  }

  /** The level of a block, 0 (runs first) .. levels - 1. */
  levelOf(index: number): number {
    const position = this.gridPosition(index);
    // the block farthest along within a level's stride goes first
    return this.axes.reduce(
      (level, axis, i) => level * axis.levels + (axis.levels - 1 - (position.at(i) % axis.levels)),
      0,
    );
  }

  /** The blocks of one level in ascending order. */
  *blocksOfLevel(level: number): Generator<number> {
    if (!Number.isInteger(level) || level < 0 || level >= this.levels) {
      throw new BlockwrightError('ERR_PLAN', `level: expected 0 to ${this.levels - 1}, found ${level}`);
    }
    const offsets = new Array<number>(this.axes.length);
    let rest = level;
    for (let i = this.axes.length - 1; i >= 0; i--) {
      const { levels } = this.axes[i];
      offsets[i] = levels - 1 - (rest % levels);
      rest = Math.floor(rest / levels);
    }
    yield* this.latticeFrom(offsets, 0, 0);
  }

  /** The blocks that wait for no other block of the task. */
  roots(): Generator<number> {
    return this.blocksOfLevel(0);
  }

  /** How many blocks {@link upstream} and {@link downstream} give at most. */
  get maxNeighbours(): number {
    return 2 ** this.axes.filter((axis) => axis.levels > 1).length;
  }

  /**
   * The blocks of this task that must be done before a block: its neighbours in the level before. Allocates nothing;
   * the index is not checked.
   *
   * @param into takes the indices, in no particular order; at least {@link maxNeighbours} long.
   * @returns how many there are.
   */
  upstream(index: number, into: Float64Array): number {
    // The level before is, read as digits (one an axis), one more: the last digit that can grow does, and those after
    // it wrap around. Each digit that changes has a neighbour one step up and one (levels - 1) steps down.
    let rest = index;
    let stride = 1;
    let length = 1;
    into[0] = index;
    for (let i = this.axes.length - 1; i >= 0; i--) {
      const { count, levels } = this.axes[i];
      const above = Math.floor(rest / count);
      if (levels > 1) {
        const position = rest - above * count;
        length = spread(
          into,
          length,
          position + 1 < count ? stride : 0,
          position - levels + 1 >= 0 ? (1 - levels) * stride : 0,
        );
        if (position % levels < levels - 1) return length;
      }
      rest = above;
      stride *= count;
    }
    return 0;
  }

  /** The blocks of this task that wait for a block: the reverse of {@link upstream}, with the same rules. */
  downstream(index: number, into: Float64Array): number {
    let rest = index;
    let stride = 1;
    let length = 1;
    into[0] = index;
    for (let i = this.axes.length - 1; i >= 0; i--) {
      const { count, levels } = this.axes[i];
      const above = Math.floor(rest / count);
      if (levels > 1) {
        const position = rest - above * count;
        length = spread(
          into,
          length,
          position >= 1 ? -stride : 0,
          position + levels - 1 < count ? (levels - 1) * stride : 0,
        );
        if (position % levels > 0) return length;
      }
      rest = above;
      stride *= count;
    }
    return 0;
  }

  /**
   * The blocks whose writeRoi or readRoi has a point in common with a box: a box of grid positions.
   *
   * @param into filled instead of a new range.
   */
  blocksMeeting(roi: Roi, of: 'write' | 'read', into = emptyGridRange(this.axes.length)): GridRange {
    sameDimensions('roi', roi, this.axes.length);
    this.axes.forEach((axis, i) => {
      const begin = roi.begin.at(i);
      const end = roi.end.at(i);
      into.begin[i] = of === 'write' ? axis.firstWriteEndingAfter(begin) : axis.firstReadEndingAfter(begin);
      into.end[i] = of === 'write' ? axis.writesBeginningBefore(end) : axis.readsBeginningBefore(end);
    });
    if (roi.empty || gridRangeCount(into) === 0) {
      into.begin.fill(0);
      into.end.fill(0);
    }
    return into;
  }

  toJSON(): BlockPlanJson {
    return {
      totalWriteRoi: this.totalWriteRoi.toJSON(),
      blockShape: this.blockShape.values,
      contextLow: this.contextLow.values,
      contextHigh: this.contextHigh.values,
      fit: this.fit,
      readWriteConflict: this.readWriteConflict,
    };
  }

  private checkIndex(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.count) {
      throw new BlockwrightError(
        'ERR_PLAN',
        `index: expected a block of this plan, 0 to ${this.count - 1}, found ${index}`,
      );
    }
  }

  private *latticeFrom(offsets: readonly number[], i: number, base: number): Generator<number> {
    if (i === this.axes.length) {
      yield base;
      return;
    }
    const { count, levels } = this.axes[i];
    for (let position = offsets[i]; position < count; position += levels) {
      yield* this.latticeFrom(offsets, i + 1, base * count + position);
    }
  }
}

const atLeast = (a: number, b: number) => a >= b;

/** Moves every index by one step, or doubles them where there are two; 0 means that there is no such block. */
function spread(into: Float64Array, length: number, one: number, other: number): number {
  if (one === 0 || other === 0) {
    // one of the two always exists: an axis is at least `levels` blocks long
    for (let i = 0; i < length; i++) into[i] += one + other;
    return length;
  }
  for (let i = 0; i < length; i++) {
    into[length + i] = into[i] + other;
    into[i] += one;
  }
  return length * 2;
}

function checked(parameter: string, value: CoordinateLike, dimensions: number, least: 0 | 1): Coordinate {
  const coordinate = Coordinate.from(value);
  if (coordinate.dimensions !== dimensions) {
    throw new BlockwrightError(
      'ERR_PLAN',
      `${parameter}: expected ${dimensions} dimensions as in totalWriteRoi, found ${coordinate}`,
    );
  }
  if (!coordinate.every(least, atLeast)) {
    throw new BlockwrightError(
      'ERR_PLAN',
      `${parameter}: expected entries of at least ${least} world unit${least === 1 ? '' : 's'}, found ${coordinate}`,
    );
  }
  return coordinate;
}

function sameDimensions(parameter: string, roi: Roi, dimensions: number): void {
  if (roi.dimensions !== dimensions) {
    throw new BlockwrightError('ERR_PLAN', `${parameter}: expected ${dimensions} dimensions, found ${roi}`);
  }
}
