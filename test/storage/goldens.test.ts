import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeOf, isBlockwrightError } from '../../lib/errors.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { bytesOf, type TypedArray } from '../../lib/storage/data-type.js';
import { openImage } from '../../lib/storage/image-group.js';
import { goldens, parseNpy, readJson } from '../support/goldens.js';
import { temporaryFolder, unpackStores } from '../support/stores.js';

interface Level {
  readonly path: string;
  readonly expected: string;
  readonly scale: number[];
  readonly translation: number[];
}

interface Good {
  readonly name: string;
  readonly path: string;
  readonly expected: string;
  readonly zarrFormat: number;
  readonly shape: number[];
  readonly dtype: string;
  readonly optional?: boolean;
  readonly axes?: { readonly name: string; readonly type: string }[];
  readonly levels?: Level[];
  readonly funlib?: {
    readonly offset: (number | string)[];
    readonly voxelSize: number[];
    readonly units: string[];
    readonly axisNames: string[];
    readonly types: string[];
  };
}

interface Damaged {
  readonly name: string;
  readonly path: string;
  readonly kind: string;
  readonly mustFail: boolean;
  readonly ome?: boolean;
}

const manifest = readJson<{ good: Good[]; damaged: Damaged[] }>(join(goldens, 'storage', 'manifest.json.gz'));
const folder = temporaryFolder();
beforeAll(() => unpackStores(folder.path));
afterAll(folder.remove);

async function readAll(path: string): Promise<{ array: ChunkedArray; data: TypedArray }> {
  const array = await ChunkedArray.open(path);
  const data = await array.readRegion(
    array.shape.map(() => 0),
    array.shape,
  );
  return { array, data };
}

async function failure(action: () => Promise<unknown>): Promise<unknown> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The float of the same value as float16 bits, its NaNs too: by the definition of the format. */
function widened(bits: number): number {
  const float = new DataView(new ArrayBuffer(4));
  const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) float.setUint32(0, ((sign << 31) | 0x7f800000 | (fraction << 13)) >>> 0);
  else
    float.setFloat32(
      0,
      (sign ? -1 : 1) * 2 ** (Math.max(exponent, 1) - 15) * ((exponent > 0 ? 1 : 0) + fraction / 1024),
    );
  return float.getFloat32(0);
}

/** Equal bit for bit, NaN payloads included. */
function expectSame(data: TypedArray, path: string): void {
  const { dtype, data: stored } = parseNpy(new Uint8Array(readFileSync(join(folder.path, path))));
  const expected = dtype === '<f2' ? Float32Array.from(stored as Uint16Array, widened) : (stored as TypedArray);
  expect(Buffer.compare(bytesOf(data), bytesOf(expected))).toBe(0);
}

// What is refused by name: formats that the manifest marks as optional.
const REFUSED = ['v2-bz2', 'v2-lzma', 'v2-filter-delta', 'v2-filter-shuffle'];
const refused = (name: string) => REFUSED.includes(name);

describe('arrays that other software wrote', () => {
  const arrays = manifest.good.filter((entry) => entry.levels === undefined && entry.name !== 'funlib-large-offset');
  const [out, within] = [arrays.filter(({ name }) => refused(name)), arrays.filter(({ name }) => !refused(name))];

  test('the list is whole', () => {
    expect([manifest.good.length, out.length, within.length]).toEqual([203, 4, 190]);
    expect(out.every(({ optional }) => optional)).toBe(true);
  });

  test.each(within.map((entry) => [entry.name, entry] as const))('%s is read bit for bit', async (_, entry) => {
    const { array, data } = await readAll(join(folder.path, entry.path));
    expect(array.shape).toEqual(entry.shape);
    expect(array.metadata.dataType).toBe(entry.dtype);
    expect(array.format.zarrFormat).toBe(entry.zarrFormat);
    expectSame(data, entry.expected);
    if (entry.funlib === undefined) return;
    const { offset, voxelSize, units, axisNames, types } = entry.funlib;
    const { metadata } = array;
    const physical = types.filter((type) => type === 'space' || type === 'time').length;
    expect(metadata.channelAxes).toBe(types.length - physical);
    expect([metadata.offset.values, metadata.voxelSize.values, metadata.units]).toEqual([offset, voxelSize, units]);
    // A channel that only `types` names gets its '^'.
    const names = axisNames.map((name, axis) => (axis < metadata.channelAxes ? name.replace(/\^?$/, '^') : name));
    expect(metadata.axisNames).toEqual(names);
  });

  // In pieces that meet chunks and shards in part; chunks that the other software left out are left out again.
  test.each(within.map((entry) => [entry.name, entry] as const))(
    '%s is written in the same format',
    async (_, entry) => {
      const copy = join(folder.path, 'written', entry.name);
      mkdirSync(copy, { recursive: true });
      const { array: source, data } = await readAll(join(folder.path, entry.path));
      for (const name of ['zarr.json', '.zarray', '.zattrs']) {
        if (existsSync(join(source.path, name))) copyFileSync(join(source.path, name), join(copy, name));
      }
      const array = await ChunkedArray.open(copy);
      for (const index of [1, 0, 2]) {
        const begin = array.shape.map((extent, axis) => (axis === 0 ? Math.floor((extent * index) / 3) : 0));
        const end = array.shape.map((extent, axis) => (axis === 0 ? Math.floor((extent * (index + 1)) / 3) : extent));
        await array.writeRegion(begin, end, await source.readRegion(begin, end), { durable: false });
      }
      expect(Buffer.compare(bytesOf((await readAll(copy)).data), bytesOf(data))).toBe(0);
    },
  );

  test.each(out.map((entry) => [entry.name, entry] as const))('%s is refused by name', async (_, entry) => {
    const error = await failure(() => ChunkedArray.open(join(folder.path, entry.path)));
    expect(codeOf(error)).toBe('ERR_UNSUPPORTED');
    expect(String(error)).toContain(entry.path);
  });

  test('an offset beyond 2^53 is refused, not rounded', async () => {
    const error = await failure(() => ChunkedArray.open(join(folder.path, 'good/funlib-large-offset')));
    expect(codeOf(error)).toBe('ERR_METADATA');
    expect(String(error)).toContain('9007199254740993');
  });

  test('other attributes are kept', async () => {
    const array = await ChunkedArray.open(join(folder.path, 'good/funlib-affs'));
    expect(Object.keys(array.metadata.attributes)).toEqual(['neighborhood']);
  });
});

describe('OME-Zarr images', () => {
  const images = manifest.good.filter((entry) => entry.levels !== undefined);

  test('the list is whole', () => expect(images.length).toBe(8));

  test.each(images.map((entry) => [entry.name, entry] as const))('%s has its levels', async (_, entry) => {
    const image = await openImage(join(folder.path, entry.path));
    const axes = entry.axes?.map(({ type }) => type) ?? [];
    expect(image.axes.map(({ type }) => type)).toEqual(axes);
    const levels = entry.levels ?? [];
    expect(image.levels.map(({ path }) => path)).toEqual(levels.map(({ path }) => path));
    for (const [index, { scale, translation }] of levels.entries()) {
      expect(image.levels[index].scale.map((value) => value.toNumber())).toEqual(scale);
      expect(image.levels[index].translation.map((value) => value.toNumber())).toEqual(translation);
    }
  });

  test.each(images.map((entry) => [entry.name, entry] as const))(
    '%s is placed in whole world units',
    async (_, entry) => {
      for (const level of entry.levels ?? []) {
        const path = join(folder.path, entry.path, level.path);
        // Half a voxel without a unit cannot be made whole.
        if (entry.name.endsWith('no-units') && level.path === 's1') {
          const error = await failure(() => ChunkedArray.open(path));
          expect(codeOf(error)).toBe('ERR_METADATA');
          expect(String(error)).toContain('0.5 (no unit) for the translation of level s1');
          continue;
        }
        const { array, data } = await readAll(path);
        expectSame(data, level.expected);
        const { channelAxes, voxelSize, offset, units } = array.metadata;
        const inNanometers = entry.name.includes('czyx') ? 1000 : 1;
        expect(voxelSize.values).toEqual(level.scale.slice(channelAxes).map((value) => value * inNanometers));
        expect(offset.values).toEqual(level.translation.slice(channelAxes).map((value) => value * inNanometers));
        expect(new Set(units)).toEqual(new Set([entry.name.endsWith('no-units') ? '' : 'nanometer']));
      }
    },
  );

  test('opening the group itself names the levels', async () => {
    const error = await failure(() => ChunkedArray.open(join(folder.path, 'good/ome-0.5-em')));
    expect(codeOf(error)).toBe('ERR_ARRAY_MISSING');
    expect(String(error)).toContain('s0, s1, s2');
  });
});

describe('damaged stores', () => {
  const CODES: Readonly<Record<string, readonly string[]>> = {
    'corrupt-chunk': ['ERR_CHUNK_CORRUPT'],
    'corrupt-index': ['ERR_CHUNK_CORRUPT'],
    'bad-metadata': ['ERR_METADATA', 'ERR_ARRAY_MISSING'],
    unsupported: ['ERR_UNSUPPORTED'],
    'unsafe-path': ['ERR_METADATA'],
    limit: ['ERR_LIMIT', 'ERR_METADATA'],
  };

  test('the list is whole', () => expect(manifest.damaged.length).toBe(200));

  test.each(manifest.damaged.map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
    const path = join(folder.path, entry.path);
    const error = await failure(() => (entry.ome ? openImage(path) : readAll(path)));
    if (error === undefined) {
      expect(entry.mustFail).toBe(false);
      return;
    }
    expect(isBlockwrightError(error)).toBe(true);
    // A type that does not exist, '<u3', is not told apart from one that is not supported.
    if (entry.name !== 'v2-dtype-bad') expect(CODES[entry.kind]).toContain(codeOf(error));
    expect(String(error)).toContain(entry.path);
    if (codeOf(error) === 'ERR_CHUNK_CORRUPT') {
      const { details } = error as unknown as { details: { path: string; chunk: string } };
      expect(details.path).toBe(path);
      expect(details.chunk).toMatch(/^(c[/.])?[0-9]+([./][0-9]+)*$/);
    }
  });
});
