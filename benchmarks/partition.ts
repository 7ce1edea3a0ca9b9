/**
 * Whether two arrays of labels part their elements alike: 0 where the other is 0, and one label for one label elsewhere.
 * A plain loop on purpose: it shares no code with what it checks.
 */
export function samePartition(a: BigUint64Array, b: BigUint64Array): boolean {
  if (a.length !== b.length) return false;
  const forth = new Map<bigint, bigint>([[0n, 0n]]);
  const back = new Map<bigint, bigint>([[0n, 0n]]);
  let lastA = 0n;
  let lastB = 0n;
  for (let i = 0; i < a.length; i++) {
    const x = a[i];
    const y = b[i];
    if (x === lastA && y === lastB) continue;
    const knownY = forth.get(x);
    const knownX = back.get(y);
    if (knownY === undefined && knownX === undefined) {
      forth.set(x, y);
      back.set(y, x);
    } else if (knownY !== y || knownX !== x) return false;
    lastA = x;
    lastB = y;
  }
  return true;
}

/** Whether two arrays hold the same numbers. */
export function sameNumbers(a: ArrayLike<bigint | number>, b: ArrayLike<bigint | number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether two arrays of numbers agree within an absolute tolerance; NaN only with NaN. */
export function closeNumbers(a: Float64Array, b: Float64Array, tolerance: number): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (!(Math.abs(a[i] - b[i]) <= tolerance) && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  }
  return true;
}
