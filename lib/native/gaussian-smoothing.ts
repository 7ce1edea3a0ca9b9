import { callNative } from './addon.js';
import { argumentError, checkLength, checkThreads, checkType } from './checks.js';

export interface GaussianSmoothingOptions<Values> {
  /** One number an axis, in voxels, 0 to 10000; 0 leaves the axis alone (channels are leading axes with sigma 0). */
  readonly sigma: readonly number[];
  /** Where the result goes; may be the values themselves. @default new */
  readonly output?: Values;
  /** Threads of this call; the result does not depend on them. @default 1 */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/**
 * Gaussian smoothing along every axis whose sigma is above 0, in the order of the axes. Weights reach to 4 sigma and add
 * up to 1; beyond the ends the array is mirrored (c b a | a b c | c b a), as scipy.ndimage.gaussian_filter does by
 * default. Sums are float64 and the result is the same on every machine; NaN spreads. Peak memory beside the arrays: 512 bytes a
 * thread for each of (length + 8 sigma) voxels of the longest axis.
 *
 * @param values C order, of `shape` (1 to 6 dimensions)
 * @throws ERR_ARGUMENT, ERR_CANCELLED
 */
export async function gaussianSmoothing<Values extends Float32Array | Float64Array>(
  values: Values,
  shape: readonly number[],
  options: GaussianSmoothingOptions<Values>,
): Promise<Values> {
  const type = checkType('values', values, 'Float32Array', 'Float64Array');
  const count = checkLength('values', values, shape);
  const { sigma } = options;
  if (sigma.length !== shape.length || !sigma.every((width) => width >= 0 && width <= 10000)) {
    throw argumentError('sigma', `${shape.length} numbers in [0, 10000]`, `[${sigma.join(', ')}]`);
  }
  const output =
    options.output ?? ((type === 'Float32Array' ? new Float32Array(count) : new Float64Array(count)) as Values);
  checkType('output', output, type);
  checkLength('output', output, shape);
  const threads = checkThreads(options.threads);
  await callNative<void>('gaussianSmoothing', { values, shape, sigma, output, threads }, options.signal);
  return output;
}
