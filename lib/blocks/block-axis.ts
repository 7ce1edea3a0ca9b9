import type { Fit } from './block.js';

/**
 * The blocks along one axis: plain arithmetic on numbers, nothing stored per block. The blocks of a plan are the product
 * of its axes, so every question about boxes of blocks is asked once for each axis.
 *
 * Block p writes [origin + p * step, origin + (p + 1) * step) and reads `low` more below and `high` more above, both cut
 * at `writeLimit` and `writeLimit + high`, which is infinite unless the fit is `shrink`.
 */
export class BlockAxis {
  /** How many blocks lie along the axis; 0 where `valid` leaves none. */
  readonly count: number;
  /** How many blocks lie from one block of a level to the next of the same level. 1: no order along this axis. */
  readonly levels: number;
  private readonly writeLimit: number;

  constructor(
    readonly origin: number,
    extent: number,
    readonly step: number,
    readonly low: number,
    readonly high: number,
    fit: Fit,
    readWriteConflict: boolean,
  ) {
    this.count = fit === 'valid' ? Math.floor(extent / step) : Math.ceil(extent / step);
    // a block conflicts with those less than ceil(context / step) + 1 away
    this.levels = readWriteConflict ? Math.min(Math.ceil(Math.max(low, high) / step) + 1, this.count) : 1;
    this.writeLimit = fit === 'shrink' ? origin + extent : Number.POSITIVE_INFINITY;
  }

  writeBegin(position: number): number {
    return this.origin + position * this.step;
  }

  writeEnd(position: number): number {
    return Math.min(this.origin + (position + 1) * this.step, this.writeLimit);
  }

  readBegin(position: number): number {
    return this.origin + position * this.step - this.low;
  }

  readEnd(position: number): number {
    return Math.min(this.origin + (position + 1) * this.step, this.writeLimit) + this.high;
  }

  /** The first position whose write interval ends after `coordinate`; `count` if none does. */
  firstWriteEndingAfter(coordinate: number): number {
    if (coordinate >= this.writeLimit) return this.count;
    return Math.min(Math.max(Math.floor((coordinate - this.origin) / this.step), 0), this.count);
  }

  /** How many positions, counted from the first, have a write interval that begins before `coordinate`. */
  writesBeginningBefore(coordinate: number): number {
    return Math.min(Math.max(Math.ceil((coordinate - this.origin) / this.step), 0), this.count);
  }

  /** The first position whose read interval ends after `coordinate`; `count` if none does. */
  firstReadEndingAfter(coordinate: number): number {
    return this.firstWriteEndingAfter(coordinate - this.high);
  }

  /** How many positions, counted from the first, have a read interval that begins before `coordinate`. */
  readsBeginningBefore(coordinate: number): number {
    return this.writesBeginningBefore(coordinate + this.low);
  }
}
