import { join } from 'node:path';
import { Coordinate } from '../lib/geometry/coordinate.js';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import { runVoxelPass } from '../lib/storage/operations/voxel-pass.js';
import type { CancellationCase } from './long-call.js';
import { graphCases } from './long-graph-calls.js';
import { labelCases } from './long-label-calls.js';
import { voxelCases } from './long-voxel-calls.js';
import { cube, noiseLabels, voxels } from './slow-inputs.js';

const storage: readonly CancellationCase[] = [
  {
    native: 'voxelSteps',
    name: 'float64 to uint8',
    part: 4,
    threaded: true,
    async make(count) {
      const shape = [count];
      const source = new Float64Array(count).fill(0.25);
      const target = new Uint8Array(count);
      const steps = [
        { kind: 'affine', to: 'float64', parameters: [2, 1] },
        { kind: 'affine', to: 'float64', parameters: [100, 1] },
        { kind: 'convert', to: 'uint8', parameters: [] },
      ] as const;
      const pass = { source, sourceType: 'float64', shape, flipped: [0], steps } as const;
      return { run: (options) => runVoxelPass({ ...pass, target, targetShape: shape, targetBegin: [0] }, options) };
    },
  },
  ...(['readRegion', 'writeRegion'] as const).map(
    (native): CancellationCase => ({
      native,
      name: 'zstd level 9, 64^3 chunks',
      part: 1,
      threaded: true,
      async make(count, folder) {
        const shape = cube(count);
        const labels = noiseLabels(voxels(shape), 1 << 20);
        const array = await ChunkedArray.create(
          join(folder, native),
          {
            shape,
            dataType: 'uint64',
            channelAxes: 0,
            chunkShape: [64, 64, 64],
            axisNames: ['z', 'y', 'x'],
            units: ['nm', 'nm', 'nm'],
            offset: Coordinate.from([0, 0, 0]),
            voxelSize: Coordinate.from([8, 8, 8]),
            attributes: {},
          },
          { compressor: { name: 'zstd', level: 9 }, overwrite: true },
        );
        const begin = [0, 0, 0];
        if (native === 'writeRegion') return { run: (options) => array.writeRegion(begin, shape, labels, options) };
        await array.writeRegion(begin, shape, labels, { threads: 2 });
        return { run: (options) => array.readRegion(begin, shape, { ...options, into: labels }) };
      },
    }),
  ),
];

/** Every function of the addon that takes a signal, on input that takes it long: large, and of the kinds that are slow. */
export const cancellationCases: readonly CancellationCase[] = [...labelCases, ...voxelCases, ...graphCases, ...storage];
