import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';

const root = join(import.meta.dirname, '..', '..', '..');

/** 255 where a voxel differs from a face neighbour; outside the volume is background. */
function naiveBoundaries(labels: Uint8Array, [depth, height, width]: number[]): number[] {
  const at = (z: number, y: number, x: number) =>
    z < 0 || y < 0 || x < 0 || z >= depth || y >= height || x >= width ? 0 : labels[(z * height + y) * width + x];
  const result: number[] = [];
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const around = [
          at(z - 1, y, x),
          at(z + 1, y, x),
          at(z, y - 1, x),
          at(z, y + 1, x),
          at(z, y, x - 1),
          at(z, y, x + 1),
        ];
        result.push(around.some((label) => label !== at(z, y, x)) ? 255 : 0);
      }
    }
  }
  return result;
}

test('the plugin of the example gives what a plain loop gives', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'blockwright-custom-'));
  try {
    const shape = [12, 20, 18];
    const labels = Uint8Array.from({ length: 12 * 20 * 18 }, (_, index) =>
      Math.floor(((index * 2654435761) % 997) / 500),
    );
    const array = await ChunkedArray.create(join(folder, 'labels.zarr'), {
      shape,
      chunkShape: [8, 8, 8],
      dataType: 'uint8',
      channelAxes: 0,
      offset: new Coordinate([8, 16, 24]),
      voxelSize: new Coordinate([8, 4, 4]),
      units: ['nm', 'nm', 'nm'],
      axisNames: ['z', 'y', 'x'],
      attributes: {},
    });
    await array.writeRegion([0, 0, 0], shape, labels);
    writeFileSync(
      join(folder, 'pipeline.json'),
      JSON.stringify({
        name: 'boundaries',
        runDirectory: 'boundaries.run',
        plugins: [join(root, 'examples/custom-task/boundary-map.js')],
        arrays: { labels: { store: 'labels.zarr' }, boundaries: { store: 'boundaries.zarr' } },
        tasks: {
          boundaries: { type: 'boundary-map', labels: 'labels', boundaries: 'boundaries', blockSize: [8, 8, 8] },
        },
      }),
    );
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(root, 'bin/blockwright.js'), 'run', join(folder, 'pipeline.json'), '--workers', '2'],
      { encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([0, expect.stringContaining('18 done')]);
    const boundaries = await ChunkedArray.open(join(folder, 'boundaries.zarr'));
    expect(boundaries.metadata.offset.values).toEqual([8, 16, 24]);
    expect([...((await boundaries.readRegion([0, 0, 0], shape)) as Uint8Array)]).toEqual(
      naiveBoundaries(labels, shape),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
