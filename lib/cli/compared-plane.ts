import type { ArrayComparison } from '../compare/compare-arrays.js';
import type { PartitionDifferences } from '../compare/partition-differences.js';
import { uint64Labels } from '../evaluation/uint64-labels.js';
import { contingencyTable } from '../native/contingency-table.js';
import { factsOf, type TypedArray } from '../storage/data-type.js';
import type { Volume } from '../storage/volume.js';
import { labelColour } from '../view/colour.js';
import { heatPicture } from '../view/heat-picture.js';
import { enlarge, labelPicture, type Picture, sideBySide } from '../view/slice-image.js';

/** Pixels of a picture an axis, at most; of a larger plane the part around the first difference. */
const EXTENT = 1024;
/** Small planes are drawn larger. */
const LEAST = 256;
/** Voxels of broken pairs. */
const BROKEN: readonly [number, number, number] = [255, 60, 40];

/**
 * The plane with most differences (of a partition: through the largest pair that breaks the match; without any: the middle), of
 * both arrays and of their difference, beside each other. In a partition the voxels of the listed pairs, at least of the largest, are marked.
 */
export async function comparedPlane(
  a: Volume,
  b: Volume,
  { compared, values, partition }: ArrayComparison,
): Promise<{ readonly picture: Picture; readonly text: string }> {
  const { box, shift } = compared;
  const begin = [...box.begin];
  const end = [...box.end];
  const [rows, columns] = [begin.length - 2, begin.length - 1];
  const worst = partition?.worstPair?.index ?? values?.worstBlock?.begin;
  const plane = values?.worstPlane;
  for (let axis = 0; axis < begin.length; axis++) {
    const length = end[axis] - begin[axis];
    const wanted = plane?.axis === axis && axis < rows ? plane.index : worst?.[axis];
    const extent = axis < rows ? 1 : EXTENT;
    if (length <= extent) continue;
    const first = wanted === undefined ? begin[axis] + Math.floor(length / 2) : wanted - Math.floor((extent - 1) / 2);
    begin[axis] = Math.max(begin[axis], Math.min(first, end[axis] - extent));
    end[axis] = begin[axis] + extent;
  }
  const move = (position: readonly number[]) => position.map((voxel, axis) => voxel + shift[axis]);
  const [dataA, dataB] = await Promise.all([a.readRegion(begin, end), b.readRegion(move(begin), move(end))]);
  const height = rows < 0 ? 1 : end[rows] - begin[rows];
  const width = columns < 0 ? 1 : end[columns] - begin[columns];
  const isLabels = [a, b].every(({ metadata }) => {
    const { kind, bytes } = factsOf(metadata.dataType);
    return kind === 'unsigned' && bytes >= 4;
  });
  const pictures =
    partition !== undefined || isLabels
      ? await labelPictures(dataA, dataB, height, width, partition)
      : valuePictures(dataA, dataB, height, width);
  const factor = Math.max(1, Math.floor(LEAST / Math.max(height, width)));
  const picture = sideBySide(pictures.map((one) => enlarge(one, factor)));
  return { picture, text: `A, B and their difference in voxels [${begin.join(', ')}] to [${end.join(', ')}]` };
}

async function labelPictures(
  a: TypedArray,
  b: TypedArray,
  height: number,
  width: number,
  partition: PartitionDifferences | undefined,
): Promise<Picture[]> {
  const [labelsA, labelsB] = [uint64Labels('A', a), uint64Labels('B', b)];
  const pairs = [partition?.worstPair ?? [], partition?.worst ?? []].flat();
  const listed = new Set(pairs.map((pair) => `${pair.a} ${pair.b}`));
  const isBroken = (at: number) =>
    partition === undefined ? labelsA[at] !== labelsB[at] : listed.has(`${labelsA[at]} ${labelsB[at]}`);
  const partners = partition === undefined ? new Map<bigint, bigint>() : await partnersOf(labelsB, labelsA);
  const grey = labelPicture(labelsA, height, width);
  const marked = new Uint8Array(grey.data.length);
  for (let at = 0; at < labelsA.length; at++)
    marked.set(isBroken(at) ? BROKEN : grey.data.subarray(3 * at, 3 * at + 3).map((value) => value >> 2), 3 * at);
  return [
    grey,
    labelPicture(labelsB, height, width, (id) => labelColour(partners.get(id) ?? id)),
    { height, width, data: marked },
  ];
}

/** For each label but background the one of the others that it shares most voxels with, the lower one of several. */
async function partnersOf(labels: BigUint64Array, others: BigUint64Array): Promise<Map<bigint, bigint>> {
  const { a, b, counts } = await contingencyTable(labels, others);
  const partners = new Map<bigint, bigint>([[0n, 0n]]);
  let most = 0;
  // rows ascend by label, those of one by the other
  for (let row = 0; row < counts.length; row++) {
    if (a[row] === 0n || (row > 0 && a[row] === a[row - 1] && counts[row] <= most)) continue;
    partners.set(a[row], b[row]);
    most = counts[row];
  }
  return partners;
}

function valuePictures(a: TypedArray, b: TypedArray, height: number, width: number): Picture[] {
  const [valuesA, valuesB] = [Float64Array.from(a as Uint8Array, Number), Float64Array.from(b as Uint8Array, Number)];
  const finite = [...valuesA, ...valuesB].filter(Number.isFinite);
  const low = finite.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = finite.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const differences = valuesA.map((value, at) => (Object.is(value, valuesB[at]) ? 0 : Math.abs(value - valuesB[at])));
  const largest = differences.filter(Number.isFinite).reduce((most, value) => Math.max(most, value), 0);
  return [
    grey(valuesA, low, high, height, width),
    grey(valuesB, low, high, height, width),
    heatPicture(differences, height, width, largest),
  ];
}

function grey(values: Float64Array, low: number, high: number, height: number, width: number): Picture {
  const data = new Uint8Array(3 * width * height);
  const scale = high > low ? 255 / (high - low) : 0;
  for (let pixel = 0; pixel < width * height; pixel++) {
    data.fill(Math.max(0, Math.min(255, Math.round((values[pixel] - low) * scale))), 3 * pixel, 3 * pixel + 3);
  }
  return { width, height, data };
}
