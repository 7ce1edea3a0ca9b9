import type { Benchmark, BenchmarkOptions } from './benchmark.js';
import { Random } from './random.js';
import type { StoredVolume } from './stores.js';
import { type Box, ours, regionRows } from './zarr-read.js';

export { ours };

/** Boxes of all channels at seeded positions; their corners are odd, so that they begin inside a chunk. */
function oddBoxes({ channels, shape }: StoredVolume, count: number, edge: number): Box[] {
  const random = new Random(100);
  return Array.from({ length: count }, () => {
    const corner = shape.slice(channels.length).map((extent) => 2 * random.below(Math.floor((extent - edge) / 2)) + 1);
    return {
      begin: [...channels.map(() => 0), ...corner],
      end: [...channels, ...corner.map((first) => first + edge)],
    };
  });
}

export const benchmark: Benchmark = {
  name: 'zarr-unaligned',
  description: '16 odd regions of 100^3 voxels of 64^3 chunks, one after the other, page cache warm, 2 threads each',
  sizes: { '256': 'of 256^3 voxels', '512': 'of 512^3 voxels' },
  defaultSizes: ['256'],
  rows: (options: BenchmarkOptions) =>
    regionRows('zarr-unaligned', options, (volume) =>
      options.smoke ? oddBoxes(volume, 2, 25) : oddBoxes(volume, 16, 100),
    ),
};
