/** The rows of two ascending lists that have the same key, and those of either alone. */
export interface Joined {
  /** Rows of both, in pairs. */
  readonly a: Uint32Array;
  readonly b: Uint32Array;
  readonly onlyA: Uint32Array;
  readonly onlyB: Uint32Array;
}

/** Joins lists of ascending keys, each of which may be several columns: rows are compared by the first, then the next. */
export function joinKeys(a: readonly BigUint64Array[], b: readonly BigUint64Array[]): Joined {
  const [lengthA, lengthB] = [a[0].length, b[0].length];
  const both = Math.min(lengthA, lengthB);
  const found = {
    a: new Uint32Array(both),
    b: new Uint32Array(both),
    onlyA: new Uint32Array(lengthA),
    onlyB: new Uint32Array(lengthB),
  };
  let [common, onlyA, onlyB] = [0, 0, 0];
  for (let x = 0, y = 0; x < lengthA || y < lengthB; ) {
    const order = x === lengthA ? 1 : y === lengthB ? -1 : compare(a, x, b, y);
    if (order < 0) found.onlyA[onlyA++] = x++;
    else if (order > 0) found.onlyB[onlyB++] = y++;
    else {
      found.a[common] = x++;
      found.b[common++] = y++;
    }
  }
  return {
    a: found.a.subarray(0, common),
    b: found.b.subarray(0, common),
    onlyA: found.onlyA.subarray(0, onlyA),
    onlyB: found.onlyB.subarray(0, onlyB),
  };
}

function compare(a: readonly BigUint64Array[], x: number, b: readonly BigUint64Array[], y: number): number {
  for (let column = 0; column < a.length; column++) {
    const [left, right] = [a[column][x], b[column][y]];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
