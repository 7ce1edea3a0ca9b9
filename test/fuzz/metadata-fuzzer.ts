import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { isBlockwrightError } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { openImage } from '../../lib/storage/image-group.js';
import { goldens, readJson } from '../support/goldens.js';
import { seededRandom } from '../support/seeded-random.js';
import { unpackStores } from '../support/stores.js';
import { below, mutateJson, oneOf, type Random } from './json-mutation.js';

/** One damaged metadata file of a store, as it is kept when it was a finding. */
export interface MetadataCase {
  /** Folder of an array or image, relative to the unpacked goldens. */
  readonly store: string;
  readonly image: boolean;
  /** Relative to the store. */
  readonly file: string;
  /** base64 */
  readonly content: string;
}

const METADATA_NAMES = ['zarr.json', '.zarray', '.zattrs', '.zgroup', '.zmetadata'];
/** Value of the voxels of an array that no store may reach. */
const OUTSIDE = 0xa5;

/** Hostile metadata in the golden stores: only errors of ours may come out, nothing outside a store may come in. */
export class MetadataFuzzer {
  /** A folder in memory where there is such a file system. */
  private readonly folder: string;
  private readonly stores: { readonly store: string; readonly image: boolean; readonly files: string[] }[];

  private constructor(parent: string) {
    this.folder = mkdtempSync(join(parent, 'blockwright-fuzz-'));
    unpackStores(this.folder);
    interface Good {
      readonly path: string;
      readonly levels?: unknown;
    }
    const { good } = readJson<{ good: Good[] }>(join(goldens, 'storage', 'manifest.json.gz'));
    this.stores = good.map(({ path, levels }) => {
      const files = readdirSync(join(this.folder, path), { recursive: true, encoding: 'utf8' });
      return {
        store: path,
        image: levels !== undefined,
        // Those of the store itself before those of levels in it.
        files: files
          .filter((name) => METADATA_NAMES.includes(name.split('/').at(-1) ?? ''))
          .sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1)),
      };
    });
  }

  static async create(): Promise<MetadataFuzzer> {
    const memory = await access('/dev/shm', constants.W_OK).then(
      () => '/dev/shm',
      () => tmpdir(),
    );
    const fuzzer = new MetadataFuzzer(memory);
    await fuzzer.placeOutside();
    return fuzzer;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The case of a number: depends on the numbers alone. */
  make(seed: number, number: number): MetadataCase {
    const random = seededRandom(Math.imul(seed, 0x9e3779b1) + number);
    for (let skip = 0; skip < 3; skip += 1) random();
    const images = below(random, 3) === 0; // they are few
    const { store, image, files } = oneOf(
      random,
      this.stores.filter((entry) => entry.image === images),
    );
    const file = random() < 0.5 ? files[0] : oneOf(random, files);
    const content = readFileSync(join(this.folder, store, file));
    return { store, image, file, content: this.damaged(random, content).toString('base64') };
  }

  /**
   * Opens and reads the damaged store; resolves with the codes of its refusals ('read' where there was none), rejects with an
   * Error that says which promise is broken.
   */
  async run({ store, image, file, content }: MetadataCase): Promise<string[]> {
    const path = join(this.folder, store);
    const before = readFileSync(join(path, file));
    writeFileSync(join(path, file), Buffer.from(content, 'base64'));
    try {
      const outcome = await onlyOurErrors(() => (image ? this.readImage(path) : readCorners(path)));
      // A level by itself finds the metadata of the image above.
      const level = image && file.includes('/') ? [await onlyOurErrors(() => readCorners(join(path, file, '..')))] : [];
      return [outcome, ...level];
    } finally {
      writeFileSync(join(path, file), before);
    }
  }

  private damaged(random: Random, content: Buffer): Buffer {
    const mutated = mutateJson(random, content);
    if (below(random, 50) !== 0) return mutated;
    return Buffer.concat([
      mutated,
      Buffer.alloc(oneOf(random, [1, 70_000, 2 ** 20]), oneOf(random, [' ', '[', '1,', '\xff'])),
    ]);
  }

  private async readImage(path: string): Promise<void> {
    const { levels } = await openImage(path);
    for (const level of levels.slice(0, 3)) {
      const array = resolve(path, level.path);
      if (relative(path, array).startsWith('..')) throw new Finding(`level ${level.path} lies outside the image`);
      await onlyOurErrors(() => readCorners(array));
    }
  }

  /** An array where `../outside` and the like lead. */
  private async placeOutside(): Promise<void> {
    for (const place of ['outside', 'good/outside', 'good/outside/s0']) {
      const path = join(this.folder, place);
      mkdirSync(path, { recursive: true });
      const array = await ChunkedArray.create(path, {
        shape: [8, 8, 8],
        chunkShape: [8, 8, 8],
        dataType: 'uint8',
        channelAxes: 0,
        offset: Coordinate.filled(3, 0),
        voxelSize: Coordinate.filled(3, 1),
        units: ['', '', ''],
        axisNames: ['z', 'y', 'x'],
        attributes: {},
      });
      await array.writeRegion([0, 0, 0], [8, 8, 8], new Uint8Array(512).fill(OUTSIDE), { durable: false });
    }
  }
}

/** A promise is broken. */
export class Finding extends Error {}

async function onlyOurErrors(action: () => Promise<void>): Promise<string> {
  try {
    await action();
    return 'read';
  } catch (error) {
    if (error instanceof Finding) throw error;
    const own = isBlockwrightError(error) && error.name === 'BlockwrightError' && error.message !== '';
    const internal =
      isBlockwrightError(error) && ['ERR_NATIVE', 'ERR_ARGUMENT', 'ERR_OUT_OF_MEMORY'].includes(error.code);
    if (own && !internal) return error.code;
    throw new Finding(`not a named error: ${error instanceof Error ? error.stack : String(error)}`, { cause: error });
  }
}

/** Opens an array and reads a few voxels at both ends, and one by its place in the world. */
async function readCorners(path: string): Promise<void> {
  const array = await ChunkedArray.open(path);
  const first = await array.readRegion(
    array.shape.map(() => 0),
    array.shape.map((extent) => Math.min(extent, 2)),
  );
  const last = await array.readRegion(
    array.shape.map((extent) => Math.max(0, extent - 2)),
    array.shape,
  );
  const { shape, channelAxes, offset, voxelSize } = array.metadata;
  const channels = shape.slice(0, channelAxes).reduce((product, extent) => product * extent, 1);
  const corner = channels > 1000 ? undefined : await array.readRoi(array.roi.intersect(new Roi(offset, voxelSize)));
  for (const data of [first, last, corner?.data ?? first]) {
    if (data.length > 0 && data.BYTES_PER_ELEMENT === 1 && [...data].every((value) => Number(value) === OUTSIDE)) {
      throw new Finding('voxels from outside the store');
    }
  }
}
