import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { ArrayMetadata } from '../../lib/storage/metadata.js';
import { seededRandom } from './seeded-random.js';
import { filesBelow } from './stores.js';

/** Voxels an axis of the volume; 8 blocks of {@link BLOCK}, 64 chunks of {@link CHUNK}. */
export const EXTENT = 48;
export const BLOCK = 24;
export const CHUNK = 12;
export const NEIGHBORHOOD: readonly (readonly number[])[] = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [3, 0, 0],
  [0, 3, 0],
  [0, 0, 3],
];

/** The whole job as a file; one option a line, so that tests can edit it as a user would. */
export const SEGMENT = `name: small
arrays:
  affinities:
    store: data.zarr/affinities
    neighborhood: ${JSON.stringify(NEIGHBORHOOD)}
  fragments: {store: out/small.zarr/fragments}
  segments: {store: out/small.zarr/segments}
graphs:
  graph: {type: sqlite, path: out/small.sqlite}
executor: {type: local, workers: 2}
tasks:
  fragments:
    type: extract-frags
    affinities: affinities
    fragments: fragments
    graph: graph
    blockSize: [24, 24, 24]
    context: [3, 3, 3]
    bias: -0.5
    noiseEps: 0.01
    seed: 1
  edges:
    type: aff-agglom
    affinities: affinities
    fragments: fragments
    graph: graph
    blockSize: [24, 24, 24]
    scores:
      near: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
      far: [[3, 0, 0], [0, 3, 0], [0, 0, 3]]
  lut:
    type: graph-mws
    graph: graph
    lut: out/small.lut
    weights: {near: [1, -0.5], far: [0.9, -0.5]}
  segments:
    type: relabel
    fragments: fragments
    segments: segments
    lut: out/small.lut
    blockSize: [24, 24, 24]
`;

/** The volume's metadata with other facts, e.g. to write arrays that do not fit. */
export function metadataOf(more: Partial<ArrayMetadata> = {}): ArrayMetadata {
  const channelAxes = more.channelAxes ?? 0;
  return {
    shape: [EXTENT, EXTENT, EXTENT],
    chunkShape: [BLOCK, BLOCK, BLOCK],
    dataType: 'uint64',
    channelAxes,
    offset: Coordinate.filled(3, 0),
    voxelSize: Coordinate.filled(3, 8),
    units: ['nm', 'nm', 'nm'],
    axisNames: [...Array.from({ length: channelAxes }, () => 'c^'), 'z', 'y', 'x'],
    attributes: {},
    ...more,
  };
}

/** Writes `data.zarr/affinities` (cells around random points, every voxel a little uncertain) and `segment.yaml`. */
export async function makeVolume(folder: string): Promise<void> {
  const random = seededRandom(20);
  const centres = Array.from({ length: 40 }, () => [0, 1, 2].map(() => random() * EXTENT));
  const cellOf = (z: number, y: number, x: number) => {
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (const [cell, [cz, cy, cx]] of centres.entries()) {
      const distance = (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2;
      if (distance < least) [best, least] = [cell, distance];
    }
    return best;
  };
  const size = EXTENT + 3;
  const cells = new Uint8Array(size ** 3);
  for (let voxel = 0; voxel < cells.length; voxel++) {
    cells[voxel] = cellOf(Math.floor(voxel / size ** 2), Math.floor(voxel / size) % size, voxel % size);
  }
  const values = new Uint8Array(NEIGHBORHOOD.length * EXTENT ** 3);
  let out = 0;
  for (const [dz, dy, dx] of NEIGHBORHOOD) {
    const step = (dz * size + dy) * size + dx;
    for (let voxel = 0; voxel < EXTENT ** 3; voxel++) {
      const at =
        (Math.floor(voxel / EXTENT ** 2) * size + (Math.floor(voxel / EXTENT) % EXTENT)) * size + (voxel % EXTENT);
      values[out++] = (cells[at] === cells[at + step] ? 160 : 20) + Math.floor(random() * 90);
    }
  }
  const shape = [NEIGHBORHOOD.length, EXTENT, EXTENT, EXTENT];
  const array = await ChunkedArray.create(
    join(folder, 'data.zarr/affinities'),
    metadataOf({ shape, chunkShape: [NEIGHBORHOOD.length, CHUNK, CHUNK, CHUNK], dataType: 'uint8', channelAxes: 1 }),
  );
  await array.writeRegion([0, 0, 0, 0], shape, values);
  writeFileSync(join(folder, 'segment.yaml'), SEGMENT);
}

/** A volume in a folder of its own, copied from one that was made before. */
export function copyVolume(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
}

/** Replaces a text of the pipeline file, which must be there once. */
export function edit(folder: string, from: string, to: string): void {
  const file = join(folder, 'segment.yaml');
  const text = readFileSync(file, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`expected '${from}' once in the pipeline file`);
  writeFileSync(file, text.replace(from, to));
}

/** One hash of everything that a run of the whole job leaves: every output chunk, the LUT, the graph's rows block by block. */
export function outputHash(folder: string): string {
  const digest = createHash('sha256');
  for (const [path, content] of filesBelow(join(folder, 'out'))) {
    if (!path.includes('.sqlite')) digest.update(`${path} ${content.length}\n`).update(content);
  }
  const graph = new Database(join(folder, 'out/small.sqlite'), { readonly: true });
  for (const query of [
    'SELECT task, block, count, ids, sizes, positions FROM node_blocks ORDER BY task, block',
    'SELECT task, block, count, attributes, u, v, sums, counts FROM edge_blocks ORDER BY task, block',
  ]) {
    for (const row of graph.prepare<[], Record<string, string | number | Uint8Array>>(query).iterate()) {
      for (const value of Object.values(row)) digest.update(typeof value === 'number' ? String(value) : value);
    }
  }
  graph.close();
  return digest.digest('hex');
}
