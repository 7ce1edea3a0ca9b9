import { join } from 'node:path';
import { type ComponentIds, type Connectivity, connectedComponents } from '../lib/native/connected-components.js';
import type { Benchmark, BenchmarkOptions, MakeOurSide } from './benchmark.js';
import { compare, isChosen } from './compare.js';
import { cornerAffinities, cornerLabels } from './inputs.js';
import { inLargePages } from './large-pages.js';
import { readNpy, writeNpy } from './npy.js';
import { samePartition } from './partition.js';
import type { Row } from './row.js';

const REFERENCE = 'cc3d';

/** Where the ids go. cc3d makes new memory, of 32-bit ids in these cases. */
const MEMORY = {
  new: '',
  'new, 32-bit ids': ', 32-bit ids',
  // as a worker does block after block
  existing: ', existing memory',
};

interface Settings {
  /** .npy: uint64 or uint8. */
  readonly labels: string;
  readonly connectivity: number;
  readonly memory: keyof typeof MEMORY;
  readonly threads: number;
}

export const ours: MakeOurSide = async (settings) => {
  const { labels: path, connectivity, memory, threads } = settings as Settings;
  const { data, shape } = readNpy<BigUint64Array | Uint8Array>(path);
  const labels = await inLargePages(data);
  const existing = await inLargePages(new BigUint64Array(memory === 'existing' ? labels.length : 0));
  const options = { connectivity: connectivity as Connectivity, threads };
  const outputs = {
    new: () => undefined,
    'new, 32-bit ids': () => new Uint32Array(labels.length),
    existing: () => existing,
  };
  return {
    run: async () => {
      const output: ComponentIds | undefined = outputs[memory]();
      const given = output === undefined ? options : { ...options, output };
      return { result: (await connectedComponents(labels, shape, given)).labels };
    },
    write: (result, folder) => {
      const ids = result as BigUint64Array | Uint32Array;
      writeNpy(join(folder, 'labels.npy'), shape, ids instanceof Uint32Array ? widened(ids) : ids);
    },
  };
};

/** A cube repeated until a larger one is full. */
function repeated(block: Uint8Array, size: number, extent: number): Uint8Array {
  const result = new Uint8Array(extent ** 3);
  for (let z = 0; z < extent; z++) {
    for (let y = 0; y < extent; y++) {
      const from = ((z % size) * size + (y % size)) * size;
      for (let x = 0; x < extent; x += size) {
        result.set(block.subarray(from, from + Math.min(size, extent - x)), (z * extent + y) * extent + x);
      }
    }
  }
  return result;
}

/** The slices of a cube side by side, `across` in a row and in a column. */
function sideBySide(block: Uint8Array, size: number, across: number): Uint8Array {
  const result = new Uint8Array((across * size) ** 2);
  for (let slice = 0; slice < across ** 2; slice++) {
    for (let y = 0; y < size; y++) {
      const from = ((slice % size) * size + y) * size;
      const row = Math.floor(slice / across) * size + y;
      result.set(block.subarray(from, from + size), row * across * size + (slice % across) * size);
    }
  }
  return result;
}

function widened(values: Uint8Array | Uint32Array): BigUint64Array {
  const result = new BigUint64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = BigInt(values[i]);
  return result;
}

async function* rows(options: BenchmarkOptions): AsyncGenerator<Row> {
  const block = options.smoke ? 32 : 250;
  const labels = await cornerLabels(block);
  // where the affinity of a voxel with the one above it is high: cells without their boundaries, and noise
  const mask = (await cornerAffinities(block)).subarray(0, block ** 3).map((value) => (value > 127 ? 1 : 0));
  for (const size of options.smoke ? ['40', '2d'] : options.sizes) {
    const flat = size === '2d';
    const extent = flat ? (options.smoke ? 64 : 4000) : Number(size);
    const shape = flat ? [extent, extent] : [extent, extent, extent];
    for (const [kind, bytes] of Object.entries({ labels, mask })) {
      const path = join(options.folder, `connected-components-${kind}.npy`);
      let written = false;
      for (const connectivity of flat ? [8, 4] : [26, 18, 6]) {
        for (const memory of Object.keys(MEMORY) as (keyof typeof MEMORY)[]) {
          const title = `${shape.join(' x ')} ${kind === 'labels' ? 'uint64 labels' : 'uint8 mask'}, ${connectivity}-connected${MEMORY[memory]}`;
          if (!isChosen(options, title, REFERENCE)) continue;
          if (!written) {
            const all = flat ? sideBySide(bytes, block, extent / block) : repeated(bytes, block, extent);
            writeNpy(path, shape, kind === 'labels' ? widened(all) : all);
            written = true;
          }
          const input = { labels: path, connectivity };
          const settings: Settings = { ...input, memory, threads: options.threads };
          yield await compare(
            {
              bench: 'connected-components',
              case: title,
              unit: 'M voxels/s',
              scale: 1e-6,
              items: extent ** shape.length,
              settings,
              reference: { name: REFERENCE, environment: 'volara', script: 'connected_components', settings: input },
              warmUp: true,
              equal: (ours, reference) =>
                samePartition(
                  readNpy<BigUint64Array>(join(ours, 'labels.npy')).data,
                  readNpy<BigUint64Array>(join(reference, 'labels.npy')).data,
                ),
            },
            options,
          );
        }
      }
    }
  }
}

export const benchmark: Benchmark = {
  name: 'connected-components',
  description: 'connected components of the FIB-25 labels (kept apart) and of a mask, in 3-D and 2-D',
  sizes: {
    '128': '128^3 voxels',
    '250': '250^3 voxels, 0.13 GB of labels',
    '512': '512^3 voxels, 1.1 GB',
    '2d': '4000^2 voxels, slices side by side',
  },
  defaultSizes: ['128', '250', '512', '2d'],
  rows,
};
