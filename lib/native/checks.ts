import { BlockwrightError } from '../errors.js';

/** An ERR_ARGUMENT that says parameter, expectation and what was found. */
export function argumentError(parameter: string, expected: string, found: unknown): BlockwrightError {
  return new BlockwrightError('ERR_ARGUMENT', `${parameter}: expected ${expected}, found ${String(found)}`, {
    parameter,
    expected,
    found,
  });
}

/** Number of elements of a shape of 1 to 6 non-negative whole numbers. */
export function checkShape(parameter: string, shape: readonly number[]): number {
  if (shape.length < 1 || shape.length > 6) throw argumentError(parameter, '1 to 6 dimensions', shape.length);
  let count = 1;
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) {
      throw argumentError(parameter, 'non-negative whole numbers', `[${shape.join(', ')}]`);
    }
    count *= extent;
  }
  if (!Number.isSafeInteger(count)) throw argumentError(parameter, 'fewer than 2^53 elements', count);
  return count;
}

/** Checks that a typed array holds exactly the elements of `shape`; returns their number. */
export function checkLength(parameter: string, array: { readonly length: number }, shape: readonly number[]): number {
  const count = checkShape('shape', shape);
  if (array.length !== count) {
    throw argumentError(parameter, `${count} elements (shape [${shape.join(', ')}])`, array.length);
  }
  return count;
}

/** Checks uint64 labels of `shape`. Tests by name: a typed array of another realm is not an `instanceof` ours. */
export function checkLabels(parameter: string, labels: BigUint64Array, shape: readonly number[]): number {
  if (Object.prototype.toString.call(labels) !== '[object BigUint64Array]') {
    throw argumentError(parameter, 'a BigUint64Array', Object.prototype.toString.call(labels).slice(8, -1));
  }
  return checkLength(parameter, labels, shape);
}
