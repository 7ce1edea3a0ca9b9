/**
 * node dist/test/integration/quality-run.js BLOCK CONTEXT SEED ...: scores of the example's fragments and segments against its
 * labels, cut into blocks of BLOCK voxels an axis with CONTEXT voxels around each, for each seed of the noise.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLut } from '../../lib/graph/lut.js';
import { contingencyTable } from '../../lib/native/contingency-table.js';
import { relabel } from '../../lib/native/relabel.js';
import { segmentationScores } from '../../lib/native/segmentation-scores.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { runUndisturbed } from './disturbed-run.js';
import { makeSegmentation } from './segmentation.js';

const [block, context, ...seeds] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'blockwright-quality-'));

async function readAll(path: string) {
  const array = await ChunkedArray.open(path);
  return array.readRegion([0, 0, 0], array.shape);
}

try {
  for (const seed of seeds) {
    const began = performance.now();
    const place = join(folder, String(seed));
    const cube = (extent: number) => [extent, extent, extent];
    const segmentation = await makeSegmentation(place, { blockSize: cube(block), context: cube(context), seed });
    await runUndisturbed(segmentation, 2);
    const labels = await readAll(join(import.meta.dirname, '../../../examples/fib25/labels.zarr'));
    const truth = BigUint64Array.from(labels as Uint8Array, BigInt);
    const fragments = (await readAll(join(place, 'fib25.zarr/fragments'))) as BigUint64Array;
    const lut = await openLut(join(place, 'segments.lut'));
    const scoresOf = async (found: BigUint64Array) => {
      const { voiSplit, voiMerge, adaptedRandError } = segmentationScores(await contingencyTable(found, truth));
      const voi = `${voiSplit.toFixed(4)} + ${voiMerge.toFixed(4)} = ${(voiSplit + voiMerge).toFixed(4)}`;
      return `ARE ${adaptedRandError.toFixed(5)}, VOI ${voi}`;
    };
    const large = (await readAll(join(place, 'fib25.zarr/segments'))) as BigUint64Array;
    console.log(
      `blocks ${block}, context ${context}, seed ${seed}: ${lut.fragments.length} fragments, ${new Set(lut.segments).size} segments ` +
        `(${new Set(large).size - 1} of 64 voxels or more), ${((performance.now() - began) / 1000).toFixed(0)} s`,
    );
    console.log(`  fragments        ${await scoresOf(fragments)}`);
    console.log(`  segments         ${await scoresOf(await relabel(fragments, lut))}`);
    console.log(`  segments >= 64   ${await scoresOf(large)}`);
    rmSync(place, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
