/**
 * Affinities made from labels by the recipe `affinities-1`: blurred equality of labels, plus noise that is strongest at
 * boundaries. Integers only, so every language makes the same bytes; each value is a function of its position in the
 * volume, so a box can be made alone, given labels with a halo.
 */
// Looked up once: in Jest's sandbox every look-up of a global in a hot loop is slow.
const { abs, floor, imul, max, min, sign } = Math;
/**
 * @typedef {object} LabelBox Labels of a box of a volume; 0 = not labelled.
 * @property {Uint8Array | Uint16Array | Uint32Array} labels
 * @property {readonly number[]} begin voxel coordinates of the box's first voxel in the volume
 * @property {readonly number[]} shape
 */

/**
 * @typedef {object} AffinityRecipe
 * @property {readonly (readonly number[])[]} offsets one vector a channel, of 2 or 3 axes
 * @property {number} seed 32 bits
 * @property {readonly number[]} volumeShape extent of the whole volume: outside it nothing is equal, and the blur repeats its border
 * @property {boolean} [noise] default true
 */

/**
 * How many voxels of labels around a box are needed, on each axis (as far as the volume reaches).
 *
 * @param {readonly (readonly number[])[]} offsets
 * @returns {number[]}
 */
export function recipeHalo(offsets) {
  return offsets[0].map((_, axis) => max(...offsets.map((offset) => abs(offset[axis]))) + 1);
}
/**
 * Bytes [channels, ...end - begin] of a box of the volume.
 *
 * @param {LabelBox} source
 * @param {readonly number[]} begin
 * @param {readonly number[]} end
 * @param {AffinityRecipe} recipe
 * @returns {Uint8Array}
 */
export function affinitiesFromLabels(source, begin, end, recipe) {
  const shape = end.map((value, axis) => value - begin[axis]);
  const count = product(shape);
  const result = new Uint8Array(recipe.offsets.length * count);
  for (const channel of recipe.offsets.keys()) {
    fillChannel(result.subarray(channel * count, (channel + 1) * count), source, begin, shape, recipe, channel);
  }
  return result;
}
/**
 * murmur3's finaliser, a bijection of 32-bit integers.
 *
 * @param {number} value
 * @returns {number}
 */
export function fmix32(value) {
  let h = value;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
/**
 * A hash of a seed and some integers.
 *
 * @param {number} seed
 * @param {...number} values
 * @returns {number}
 */
export function chain(seed, ...values) {
  return values.reduce((h, value) => fmix32(((h ^ value) + 0x9e3779b9) | 0), seed >>> 0);
}
/**
 * Signed float32 values without ties, for bytes [channels, ...]: attractive where the byte is above threshold / 2. Fewer
 * than 2^23 values; thresholds are odd.
 *
 * @param {Uint8Array} affinities
 * @param {readonly number[]} thresholds
 * @param {number} seed
 * @returns {Float32Array}
 */
export function rankedValues(affinities, thresholds, seed) {
  const count = affinities.length;
  const perChannel = count / thresholds.length;
  const signed = new Int16Array(count);
  const hashes = new Uint32Array(count);
  for (let i = 0; i < count; ++i) {
    signed[i] = 2 * affinities[i] - thresholds[floor(i / perChannel)];
    hashes[i] = fmix32((i + seed) | 0);
  }
  // Ascending by |s|, then by hash: a radix sort, 11 bits at a time.
  let order = new Uint32Array(count);
  let sorted = new Uint32Array(count);
  for (let i = 0; i < count; ++i) order[i] = i;
  const digits = new Uint16Array(count);
  for (let digit = 0; digit < 4; ++digit) {
    for (let i = 0; i < count; ++i) digits[i] = digit < 3 ? (hashes[i] >>> (11 * digit)) & 2047 : abs(signed[i]);
    const next = new Uint32Array(2049);
    for (let i = 0; i < count; ++i) ++next[digits[i] + 1];
    for (let i = 1; i < next.length; ++i) next[i] += next[i - 1];
    for (let i = 0; i < count; ++i) sorted[next[digits[order[i]]]++] = order[i];
    [order, sorted] = [sorted, order];
  }
  const values = new Float32Array(count);
  for (let rank = 0; rank < count; ++rank) values[order[rank]] = sign(signed[order[rank]]) * (rank + 1) * 2 ** -23;
  return values;
}
function product(values) {
  return values.reduce((result, value) => result * value, 1);
}
function fillChannel(out, source, begin, shape, recipe, channel) {
  const axes = shape.length;
  let equal = equalLabels(source, begin, shape, recipe.volumeShape, recipe.offsets[channel]);
  const grown = shape.map((extent) => extent + 2);
  for (let axis = 0; axis < axes; ++axis) {
    equal = blur121(equal, grown, axis);
    grown[axis] -= 2;
  }
  const coarse = recipe.noise === false ? undefined : latticeNoise(recipe.seed, 1, channel, 3, begin, shape);
  const fine = recipe.noise === false ? undefined : latticeNoise(recipe.seed, 2, channel, 2, begin, shape);
  const row = shape[axes - 1];
  const origin = begin[axes - 1];
  const position = begin.slice(0, -1);
  for (let start = 0; start < out.length; start += row) {
    const rowHash = chain(recipe.seed, 3, channel, ...position);
    for (let x = 0; x < row; ++x) {
      const index = start + x;
      const value = equal[index] >> (2 * axes);
      let sum = value;
      if (coarse !== undefined && fine !== undefined) {
        const amplitude = 40 * 255 + 190 * (255 - abs(2 * value - 255));
        sum += (amplitude * (5 * coarse[index] + 3 * fine[index])) >> 18;
        const white = fmix32(((rowHash ^ (origin + x)) + 0x9e3779b9) | 0) >>> 24;
        sum += (16 * (white - 128)) >> 7;
      }
      out[index] = max(0, min(sum, 255));
    }
    for (let axis = axes - 2; axis >= 0; --axis) {
      if (++position[axis] < begin[axis] + shape[axis]) break;
      position[axis] = begin[axis];
    }
  }
}
/** 255 where a voxel and its partner are inside and have the same label, over the box grown by one (the border repeated). */
function equalLabels(source, begin, shape, volume, offset) {
  const axes = shape.length;
  // Per axis and position of the grown box: index of the voxel and of its partner times the stride, -1 = outside.
  const own = [];
  const partner = [];
  let stride = 1;
  for (let axis = axes - 1; axis >= 0; --axis) {
    own[axis] = new Int32Array(shape[axis] + 2);
    partner[axis] = new Int32Array(shape[axis] + 2);
    for (let i = 0; i < own[axis].length; ++i) {
      const at = min(max(begin[axis] + i - 1, 0), volume[axis] - 1);
      const to = at + offset[axis];
      own[axis][i] = (at - source.begin[axis]) * stride;
      partner[axis][i] = to < 0 || to >= volume[axis] ? -1 : (to - source.begin[axis]) * stride;
    }
    stride *= source.shape[axis];
  }
  const { labels } = source;
  const grown = shape.map((extent) => extent + 2);
  const result = new Int32Array(product(grown));
  const index = new Array(axes - 1).fill(0);
  const row = grown[axes - 1];
  const ownRow = own[axes - 1];
  const partnerRow = partner[axes - 1];
  for (let start = 0; start < result.length; start += row) {
    let a = 0;
    let b = 0;
    let inside = true;
    for (let axis = 0; axis < axes - 1; ++axis) {
      a += own[axis][index[axis]];
      b += partner[axis][index[axis]];
      inside = inside && partner[axis][index[axis]] >= 0;
    }
    for (let x = 0; inside && x < row; ++x) {
      if (partnerRow[x] < 0) continue;
      const label = labels[a + ownRow[x]];
      if (label > 0 && label === labels[b + partnerRow[x]]) result[start + x] = 255;
    }
    for (let axis = axes - 2; axis >= 0; --axis) {
      if (++index[axis] < grown[axis]) break;
      index[axis] = 0;
    }
  }
  return result;
}
/** Sums with weights 1, 2, 1 along an axis; the result is shorter by two. */
function blur121(values, shape, axis) {
  const inner = product(shape.slice(axis + 1));
  const outer = product(shape.slice(0, axis));
  const length = shape[axis] - 2;
  const result = new Int32Array(outer * length * inner);
  for (let o = 0; o < outer; ++o) {
    const from = o * shape[axis] * inner;
    const to = o * length * inner;
    for (let i = 0; i < length * inner; ++i) {
      result[to + i] = values[from + i] + 2 * values[from + i + inner] + values[from + i + 2 * inner];
    }
  }
  return result;
}
/** Hash values 0 .. 255 on a lattice of 2^log2Spacing voxels, linear between its points, minus 128. */
function latticeNoise(seed, tag, channel, log2Spacing, begin, shape) {
  const axes = shape.length;
  const spacing = 1 << log2Spacing;
  const low = begin.map((value) => value >> log2Spacing);
  const extent = begin.map((value, axis) => ((value + shape[axis] - 1) >> log2Spacing) + 2 - low[axis]);
  let hashes = Uint32Array.of(chain(seed, tag, channel));
  for (let axis = 0; axis < axes; ++axis) {
    const next = new Uint32Array(hashes.length * extent[axis]);
    for (let h = 0; h < hashes.length; ++h) {
      for (let i = 0; i < extent[axis]; ++i) next[h * extent[axis] + i] = chain(hashes[h], low[axis] + i);
    }
    hashes = next;
  }
  let values = Int32Array.from(hashes, (hash) => hash >>> 24);
  const current = [...extent];
  for (let axis = 0; axis < axes; ++axis) {
    const inner = product(current.slice(axis + 1));
    const outer = product(current.slice(0, axis));
    const result = new Int32Array(outer * shape[axis] * inner);
    for (let o = 0; o < outer; ++o) {
      for (let p = 0; p < shape[axis]; ++p) {
        const at = begin[axis] + p;
        const from = (o * current[axis] + (at >> log2Spacing) - low[axis]) * inner;
        const to = (o * shape[axis] + p) * inner;
        const fraction = at & (spacing - 1);
        for (let i = 0; i < inner; ++i) {
          result[to + i] = values[from + i] * (spacing - fraction) + values[from + inner + i] * fraction;
        }
      }
    }
    current[axis] = shape[axis];
    values = result;
  }
  for (let i = 0; i < values.length; ++i) values[i] = (values[i] >> (axes * log2Spacing)) - 128;
  return values;
}
