import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLut } from '../lib/graph/lut.js';
import { type ContingencyTable, contingencyTable } from '../lib/native/contingency-table.js';
import { relabel } from '../lib/native/relabel.js';
import { segmentationErrors } from '../lib/native/segmentation-scores.js';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import { labelColour } from '../lib/view/colour.js';
import { enlarge, labelPicture, type Picture, sideBySide, toPng } from '../lib/view/slice-image.js';
import { cornerLabels } from './inputs.js';
import { QualityVolume } from './quality-volume.js';

const SIZE = 128;
const BLOCK = 64;
/** Tried for the segmentation without pseudo-count; the worst is shown. */
const SEEDS = 5;
const SCALE = 2;

type Colour = readonly [number, number, number];
const GOOD: Colour = [70, 70, 70];
const MERGED: Colour = [230, 60, 40];
const SPLIT: Colour = [80, 140, 240];
const NO_TRUTH: Colour = [24, 24, 24];

interface Shown {
  readonly error: number;
  readonly segments: BigUint64Array;
  readonly table: ContingencyTable;
}

/**
 * Two pictures of one slice of the 128^3 volume in 64^3 blocks: `slice.png` with the labels, the segments without the
 * pseudo-count and the segments with default settings; `errors.png` with what is wrong in these segments.
 */
export async function writePictures(folder: string, target: string, workers: number): Promise<void> {
  mkdirSync(target, { recursive: true });
  const truth = BigUint64Array.from(await cornerLabels(SIZE), BigInt);
  const volume = new QualityVolume(folder, SIZE);
  const show = async (seed: number, pseudoCount?: number): Promise<Shown> => {
    let segments: BigUint64Array = new BigUint64Array();
    const { adaptedRandError } = await volume.run(
      { size: SIZE, block: BLOCK, seed, pseudoCount },
      workers,
      async (run) => {
        const fragments = await ChunkedArray.open(join(run, 'fragments.zarr'));
        const labels = (await fragments.readRegion([0, 0, 0], [SIZE, SIZE, SIZE])) as BigUint64Array;
        segments = await relabel(labels, await openLut(join(run, 'segments.lut')));
      },
    );
    return { error: adaptedRandError, segments, table: await contingencyTable(segments, truth) };
  };
  let [worst, seedOfWorst] = [await show(0, 0), 0];
  for (let seed = 1; seed < SEEDS; seed++) {
    const other = await show(seed, 0);
    if (other.error > worst.error) [worst, seedOfWorst] = [other, seed];
  }
  const best = await show(seedOfWorst);
  volume.remove();

  const { merges } = await segmentationErrors(worst.table, { labels: 1 });
  // where the second largest of the merged labels is best seen
  const z = Math.floor(merges[0].overlaps[1].place / SIZE ** 2);
  const slice = (labels: BigUint64Array) => labels.subarray(z * SIZE ** 2, (z + 1) * SIZE ** 2);
  const panels = [worst, best].map(({ segments, table }) => ({ table, slice: slice(segments) }));
  const truthSlice = slice(truth);
  const save = (name: string, pictures: readonly Picture[]) =>
    writeFileSync(join(target, name), toPng(sideBySide(pictures.map((picture) => enlarge(picture, SCALE)))));
  save('slice.png', [
    labelPicture(truthSlice, SIZE, SIZE),
    ...panels.map(({ slice, table }) => {
      // A segment has the colour of the label that it covers most of.
      const label = largestPartner(table.a, table.b, table.counts);
      return labelPicture(slice, SIZE, SIZE, (id) => labelColour(label.get(id) ?? 0n));
    }),
  ]);
  save(
    'errors.png',
    panels.map(({ slice, table }) => errorPicture(slice, truthSlice, table)),
  );
  console.log(
    `pictures: z = ${z}; without pseudo-count, seed ${seedOfWorst}: adapted Rand error ${worst.error.toFixed(4)}, segment ${merges[0].id} ` +
      `merges ${merges[0].partners} labels; with it ${best.error.toFixed(4)}`,
  );
}

/** For each label of a column the one of the other, above 0, that it shares most voxels with. */
function largestPartner(ids: BigUint64Array, others: BigUint64Array, counts: Float64Array): Map<bigint, bigint> {
  const best = new Map<bigint, number>();
  const partner = new Map<bigint, bigint>();
  ids.forEach((id, row) => {
    if (others[row] === 0n || counts[row] <= (best.get(id) ?? 0)) return;
    best.set(id, counts[row]);
    partner.set(id, others[row]);
  });
  return partner;
}

/** Red where a segment lies on another label than on most of its voxels, blue where it is only a piece of its label. */
function errorPicture(segments: BigUint64Array, truth: BigUint64Array, { a, b, counts }: ContingencyTable): Picture {
  const labelOf = largestPartner(a, b, counts);
  const segmentOf = largestPartner(b, a, counts);
  const data = new Uint8Array(3 * segments.length);
  segments.forEach((segment, pixel) => {
    const label = truth[pixel];
    const right = segment !== 0n && labelOf.get(segment) === label;
    const colour = label === 0n ? NO_TRUTH : !right ? MERGED : segmentOf.get(label) === segment ? GOOD : SPLIT;
    data.set(colour, 3 * pixel);
  });
  return { width: SIZE, height: SIZE, data };
}
