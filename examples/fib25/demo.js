// npm run demo: labels -> affinities -> fragments -> edges -> segments on the real FIB-25 volume, then the scores against
// the labels and a picture. The two pipelines run through the command line, as a user would run them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  ChunkedArray,
  channelPicture,
  enlarge,
  evaluateVolumes,
  labelColour,
  labelPicture,
  openLut,
  sideBySide,
  toPng,
} from 'blockwright';

const here = import.meta.dirname;
const output = join(here, 'output');
const cli = join(here, '../../bin/blockwright.js');
const shown = (path) => relative(process.cwd(), path) || '.';
mkdirSync(output, { recursive: true });

/** Runs a pipeline file through the command line; ends the demo with its exit code when that is not 0. */
function run(file) {
  const path = join(here, file);
  console.log(`\n$ npx blockwright run ${shown(path)}`);
  const { status } = spawnSync(process.execPath, [cli, 'run', path, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** For each label above 0 the segment above 0 that it shares most pixels with. */
function largestPartners(labelPixels, segmentPixels) {
  const overlaps = new Map();
  labelPixels.forEach((label, pixel) => {
    if (label === 0 || segmentPixels[pixel] === 0n) return;
    const counts = overlaps.get(label) ?? new Map();
    overlaps.set(label, counts.set(segmentPixels[pixel], (counts.get(segmentPixels[pixel]) ?? 0) + 1));
  });
  return new Map([...overlaps].map(([label, counts]) => [label, [...counts].sort((a, b) => b[1] - a[1])[0][0]]));
}

function row(name, count, scores) {
  const voi = `${scores.voiSplit.toFixed(3)} + ${scores.voiMerge.toFixed(3)} = ${(scores.voiSplit + scores.voiMerge).toFixed(3)}`;
  console.log(`  ${name.padEnd(38)} ${String(count).padStart(8)}   ${voi}   ${scores.adaptedRandError.toFixed(4)}`);
}

const began = performance.now();
run('affinities.yaml');
run('segment.yaml');

const store = join(output, 'fib25.zarr');
const [labels, affinities, fragments, segments, lut] = await Promise.all([
  ChunkedArray.open(join(here, 'labels.zarr')),
  ChunkedArray.open(join(store, 'affinities')),
  ChunkedArray.open(join(store, 'fragments')),
  ChunkedArray.open(join(store, 'segments')),
  openLut(join(output, 'fib25.lut')),
]);

console.log('\nScores against the labels, voxels with a label > 0 (VOI in bits; lower is better):');
console.log(`  ${''.padEnd(38)}    count   VOI split + merge = sum     adapted Rand error`);
const score = (segmentation, of) => evaluateVolumes({ segmentation, truth: labels, lut: of });
const large = lut.segments.filter((_, index) => lut.sizes[index] >= 64n);
row('fragments', lut.fragments.length, await score(fragments));
row('segments, small ones kept', new Set(lut.segments).size, await score(fragments, lut));
row('segments of at least 64 voxels', new Set(large).size, await score(segments));

// One slice through the middle: affinities (z, y, x as red, green, blue), fragments, segments, labels.
const [depth, height, width] = labels.metadata.shape;
const z = depth >> 1;
const slice = (array) => array.readRegion([z, 0, 0], [z + 1, height, width]);
const [segmentSlice, labelSlice] = [await slice(segments), await slice(labels)];
const partner = largestPartners(labelSlice, segmentSlice);
const picture = sideBySide(
  [
    channelPicture(await affinities.readRegion([0, z, 0, 0], [3, z + 1, height, width]), 3, height, width),
    labelPicture(await slice(fragments), height, width),
    labelPicture(segmentSlice, height, width),
    // a label has the colour of the segment that covers most of it: where the colours differ, so do the two
    labelPicture(labelSlice, height, width, (id) => labelColour(partner.get(Number(id)) ?? id)),
  ].map((part) => enlarge(part, 2)),
);
const png = join(output, 'slice.png');
writeFileSync(png, toPng(picture));

console.log(`
Result:   ${shown(store)} (zarr v3: affinities, fragments, segments), ${shown(join(output, 'fib25.sqlite'))} (graph), ${shown(join(output, 'fib25.lut'))} (fragment -> segment)
Picture:  ${shown(png)} (slice z = ${z}: affinities, fragments, segments, labels)
Look:     python -c "import zarr; print(zarr.open_array('${shown(join(store, 'segments'))}', mode='r')[${z}])"
          napari ${shown(join(store, 'segments'))}
Errors:   npx blockwright evaluate ${shown(join(store, 'segments'))} ${shown(join(here, 'labels.zarr'))}
Done in ${((performance.now() - began) / 1000).toFixed(1)} s. Run it again: every block is done and none is computed twice.`);
