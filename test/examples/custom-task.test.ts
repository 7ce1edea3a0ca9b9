import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { runProgram } from '../support/program.js';
import { temporaryFolder } from '../support/stores.js';

const examples = join(import.meta.dirname, '../../../examples');
const place = temporaryFolder();
const folder = realpathSync(place.path);
afterAll(place.remove);

test('the example of a task of one’s own marks the voxels whose label differs from a face neighbour', async () => {
  // The example's file, with its relative paths made absolute, in a folder of the test's own.
  const text = readFileSync(join(examples, 'custom-task/pipeline.yaml'), 'utf8')
    .replace('./boundary-map.js', join(examples, 'custom-task/boundary-map.js'))
    .replace('../fib25/labels.zarr', join(examples, 'fib25/labels.zarr'));
  writeFileSync(join(folder, 'pipeline.yaml'), text);
  const { status, out } = await runProgram(folder, 'run', 'pipeline.yaml', '--workers', '2');
  expect(out).toContain('complete: every block is done');
  expect(status).toBe(0);

  const labels = await ChunkedArray.open(join(examples, 'fib25/labels.zarr'));
  const boundaries = await ChunkedArray.open(join(folder, 'output/boundaries.zarr'));
  expect(boundaries.metadata).toMatchObject({ shape: labels.shape, dataType: 'uint8', chunkShape: [64, 64, 64] });
  const { offset, voxelSize } = labels.metadata;
  expect(boundaries.metadata.offset.equals(offset) && boundaries.metadata.voxelSize.equals(voxelSize)).toBe(true);

  // Voxel by voxel, at both ends of the volume (outside of it is background) and where blocks meet.
  const [depth, height, width] = labels.shape;
  const read = await labels.readRegion([0, 0, 0], labels.shape);
  const found = await boundaries.readRegion([0, 0, 0], labels.shape);
  const at = (z: number, y: number, x: number) => {
    const inside = z >= 0 && z < depth && y >= 0 && y < height && x >= 0 && x < width;
    return inside ? Number(read[(z * height + y) * width + x]) : 0;
  };
  let marked = 0;
  let wrong = 0;
  let voxels = 0;
  for (const z of [0, 1, 62, 63, 64, 65, 128, depth - 2, depth - 1]) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, voxels++) {
        const own = at(z, y, x);
        const isBoundary =
          at(z - 1, y, x) !== own ||
          at(z + 1, y, x) !== own ||
          at(z, y - 1, x) !== own ||
          at(z, y + 1, x) !== own ||
          at(z, y, x - 1) !== own ||
          at(z, y, x + 1) !== own;
        if (isBoundary) marked++;
        if (found[(z * height + y) * width + x] !== (isBoundary ? 255 : 0)) wrong++;
      }
    }
  }
  expect(wrong).toBe(0);
  expect(marked).toBeGreaterThan(voxels / 50);
  expect(marked).toBeLessThan(voxels / 2);
});
