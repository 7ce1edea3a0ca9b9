/**
 * A half-open box of grid positions, begin <= position < end on every axis; empty when any end is not above its begin.
 * Mutable, so that a loop over millions of blocks can fill the same one again.
 */
export interface GridRange {
  readonly begin: Float64Array;
  readonly end: Float64Array;
}

export function emptyGridRange(dimensions: number): GridRange {
  return { begin: new Float64Array(dimensions), end: new Float64Array(dimensions) };
}

/** How many blocks lie in the range. */
export function gridRangeCount(range: GridRange): number {
  let count = 1;
  for (let axis = 0; axis < range.begin.length; axis++) count *= Math.max(range.end[axis] - range.begin[axis], 0);
  return count;
}

/**
 * Calls `visit(first, count)` for each run of consecutive raster indices in the range, in ascending order.
 *
 * @param gridShape blocks along each axis of the whole grid.
 */
export function visitRows(
  range: GridRange,
  gridShape: readonly number[],
  visit: (first: number, count: number) => void,
): void {
  if (gridRangeCount(range) === 0) return;
  const last = gridShape.length - 1;
  visitAxis(range, gridShape, 0, 0, last, range.end[last] - range.begin[last], visit);
}

function visitAxis(
  range: GridRange,
  gridShape: readonly number[],
  axis: number,
  base: number,
  last: number,
  count: number,
  visit: (first: number, count: number) => void,
): void {
  const scaled = base * gridShape[axis];
  if (axis === last) {
    visit(scaled + range.begin[axis], count);
    return;
  }
  const end = range.end[axis];
  for (let position = range.begin[axis]; position < end; position++) {
    visitAxis(range, gridShape, axis + 1, scaled + position, last, count, visit);
  }
}

/**
 * Sets 1 in `into` for each block of `first` .. `first + into.length - 1` (raster indices) that lies in the range.
 *
 * @param gridShape blocks along each axis of the whole grid.
 */
export function fillInside(range: GridRange, gridShape: readonly number[], first: number, into: Uint8Array): void {
  const last = gridShape.length - 1;
  const row = gridShape[last];
  const [begin, end] = [range.begin[last], range.end[last]];
  const stop = first + into.length;
  for (let base = first - (first % row); base < stop; base += row) {
    let rest = base / row;
    let inside = begin < end;
    for (let axis = last - 1; axis >= 0 && inside; axis--) {
      const position = rest % gridShape[axis];
      rest = (rest - position) / gridShape[axis];
      inside = position >= range.begin[axis] && position < range.end[axis];
    }
    if (inside) into.fill(1, Math.max(base + begin - first, 0), Math.max(Math.min(base + end, stop) - first, 0));
  }
}
