import { join } from 'node:path';
import { Coordinate } from '../lib/geometry/coordinate.js';
import { ChunkedArray } from '../lib/storage/chunked-array.js';
import type { CreateOptions } from '../lib/storage/create-array.js';
import type { DataType, TypedArray } from '../lib/storage/metadata.js';
import { cornerAffinities, cornerLabels, OFFSETS } from './inputs.js';

/** Both sides use this many; the references are told in reference/stores.py. */
export const THREADS = 2;

/** What stands beside ours in each case. */
export const LIBRARIES = ['tensorstore', 'zarr-python'] as const;

/** Voxels of a block's edge: each has ids of its own. */
const BLOCK = 64;

/** Voxels of an example volume's edge, which is repeated, mirrored, to fill a larger one. */
const LABELS_EXTENT = 250;
const AFFINITIES_EXTENT = 128;

/** Where position `at` of a volume lies in an example of `extent` voxels that is mirrored again and again. */
function mirrored(at: number, extent: number): number {
  const within = at % (2 * extent);
  return within < extent ? within : 2 * extent - 1 - within;
}

/** uint64 [extent, extent, extent]: the FIB-25 labels with ids as fragments have them, index of the block * its voxels + n. */
async function labelVolume(extent: number): Promise<BigUint64Array> {
  const small = Math.min(extent, LABELS_EXTENT);
  const labels = await cornerLabels(small);
  const blocks = Math.ceil(extent / BLOCK);
  // Two halves a voxel: many times faster than bigints.
  const halves = new Uint32Array(2 * extent ** 3);
  const source = Int32Array.from({ length: extent }, (_, at) => mirrored(at, small));
  for (let z = 0, to = 0; z < extent; z++) {
    for (let y = 0; y < extent; y++) {
      const row = (source[z] * small + source[y]) * small;
      const block = (Math.floor(z / BLOCK) * blocks + Math.floor(y / BLOCK)) * blocks;
      for (let x = 0; x < extent; x++, to += 2) {
        const label = labels[row + source[x]];
        if (label === 0) continue;
        const id = (block + Math.floor(x / BLOCK)) * BLOCK ** 3 + label;
        halves[to] = id >>> 0;
        halves[to + 1] = Math.floor(id / 2 ** 32);
      }
    }
  }
  return new BigUint64Array(halves.buffer);
}

/** uint8 [9, extent, extent, extent]: affinities of a corner of the labels. */
async function affinityVolume(extent: number): Promise<Uint8Array> {
  const small = Math.min(extent, AFFINITIES_EXTENT);
  const corner = await cornerAffinities(small);
  const values = new Uint8Array(OFFSETS.length * extent ** 3);
  const source = Int32Array.from({ length: extent }, (_, at) => mirrored(at, small));
  for (let channel = 0, to = 0; channel < OFFSETS.length; channel++) {
    for (let z = 0; z < extent; z++) {
      for (let y = 0; y < extent; y++) {
        const row = ((channel * small + source[z]) * small + source[y]) * small;
        for (let x = 0; x < extent; x++) values[to++] = corner[row + source[x]];
      }
    }
  }
  return values;
}

export interface StoredVolume {
  readonly name: 'labels' | 'affinities';
  readonly data: TypedArray;
  readonly dataType: DataType;
  /** Channels first. */
  readonly channels: readonly number[];
  readonly shape: readonly number[];
}

/** The two volumes of a size. All channels of the affinities lie in one chunk, as in a pipeline. */
export async function* storedVolumes(extent: number): AsyncGenerator<StoredVolume> {
  const shape = [extent, extent, extent];
  yield { name: 'labels', data: await labelVolume(extent), dataType: 'uint64', channels: [], shape };
  const channels = [OFFSETS.length];
  const affinities = await affinityVolume(extent);
  yield { name: 'affinities', data: affinities, dataType: 'uint8', channels, shape: [...channels, ...shape] };
}

/** Checksums are left out where the references leave them out, and compared by themselves. 'sharded': see createStore. */
export const CODECS: Readonly<Record<string, CreateOptions>> = {
  'zstd-1': { compressor: { name: 'zstd', level: 1, checksum: false } },
  'zstd-1 with checksum': { compressor: { name: 'zstd', level: 1, checksum: true } },
  'blosc-zstd-shuffle': { compressor: { name: 'blosc', compressor: 'zstd', level: 5, shuffle: 'bytes' } },
  'gzip-5': { compressor: { name: 'gzip', level: 5 } },
  'sharded zstd-1': { compressor: { name: 'zstd', level: 1, checksum: false } },
};

/**
 * Creates an array for a volume, without chunks: both sides then read and write by the same metadata. Shards are whole chunks, at
 * least half the volume wide.
 *
 * @param chunk voxels of a chunk's edge
 */
export async function createStore(
  folder: string,
  volume: StoredVolume,
  codec: string,
  chunk: number,
): Promise<ChunkedArray> {
  const { name, shape, channels, dataType } = volume;
  const shard = Math.ceil(shape[shape.length - 1] / 2 / chunk) * chunk;
  return ChunkedArray.create(
    join(folder, name),
    {
      shape,
      chunkShape: [...channels, chunk, chunk, chunk],
      ...(codec.startsWith('sharded') ? { shardShape: [...channels, shard, shard, shard] } : {}),
      dataType,
      channelAxes: channels.length,
      offset: Coordinate.from([0, 0, 0]),
      voxelSize: Coordinate.from([8, 8, 8]),
      units: ['nm', 'nm', 'nm'],
      axisNames: [...channels.map(() => 'c^'), 'z', 'y', 'x'],
      attributes: {},
    },
    { ...CODECS[codec], overwrite: true },
  );
}
