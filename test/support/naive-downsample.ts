import type { DownsampleMethod, DownsampleValues } from '../../lib/native/downsample.js';

/** Nearest whole number, ties to even. */
function roundedMean(cell: readonly (number | bigint)[]): bigint {
  const sum = cell.reduce((total: bigint, value) => total + BigInt(value), 0n);
  const count = BigInt(cell.length);
  const below = sum / count - (sum % count < 0n ? 1n : 0n);
  const twice = 2n * (sum - below * count);
  return twice > count || (twice === count && below % 2n !== 0n) ? below + 1n : below;
}

function mostFrequent(cell: readonly (number | bigint)[], ignoreBackground: boolean): number | bigint {
  const counts = new Map<number | bigint, number>();
  for (const value of cell) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (ignoreBackground && counts.size > 1) for (const zero of [0, 0n]) counts.delete(zero);
  return [...counts].reduce((best, one) =>
    one[1] > best[1] || (one[1] === best[1] && one[0] < best[0]) ? one : best,
  )[0];
}

/** The slow twin of `downsample`: cell by cell, each as a list of its values in raster order. */
export function naiveDownsample<Values extends DownsampleValues>(
  values: Values,
  shape: readonly number[],
  factors: readonly number[],
  method: DownsampleMethod,
  ignoreBackground = false,
): Values {
  const coarse = shape.map((extent, axis) => Math.ceil(extent / factors[axis]));
  const cells = Array.from({ length: coarse.reduce((a, b) => a * b, 1) }, (): (number | bigint)[] => []);
  for (const [voxel, value] of (
    values as ArrayLike<number | bigint> & Iterable<number | bigint> & Uint8Array
  ).entries()) {
    let rest = voxel;
    let [index, stride] = [0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index += Math.floor((rest % shape[axis]) / factors[axis]) * stride;
      stride *= coarse[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    cells[index].push(value);
  }
  const isBig = typeof values[0] === 'bigint';
  const isFloat = Object.prototype.toString.call(values).startsWith('[object Float');
  const result = cells.map((cell) => {
    if (method === 'stride') return cell[0];
    if (method === 'mode') return mostFrequent(cell, ignoreBackground);
    if (isFloat) return (cell as number[]).reduce((sum, value) => sum + value, 0) / cell.length;
    return isBig ? roundedMean(cell) : Number(roundedMean(cell));
  });
  return (values.constructor as unknown as { from(list: readonly (number | bigint)[]): Values }).from(result);
}
