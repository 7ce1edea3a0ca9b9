import { Decimal } from './decimal.js';
import { imageAxes } from './image-axes.js';
import { type ImageVersion, type Multiscale, writeMultiscale } from './image-metadata.js';
import type { World } from './world.js';

/** A coarser level of a pyramid. */
export interface PyramidLevel {
  /** Of the array, relative to the group. */
  readonly path: string;
  /** Voxels of the finest level in one of this one, one number a physical axis. */
  readonly factors: readonly number[];
}

/** An OME-Zarr image of one volume in several resolutions, as its group's metadata describes it. */
export interface Pyramid {
  readonly version: ImageVersion;
  /** How voxels were made into one, e.g. 'mean'; left out where it is not known. */
  readonly method?: string;
  /** Whether a coarse voxel stands for the middle of what it covers (means, modes), not for its first voxel. */
  readonly centred: boolean;
  /** Where the voxels of the finest level lie. */
  readonly world: World;
  /** Path of the finest level. */
  readonly base: string;
  /** The others, finest first; none for an image of one resolution. */
  readonly levels: readonly PyramidLevel[];
  /** Whether the finest level was there before: what an image says of it, and of other levels, then stays. */
  readonly extends: boolean;
}

/** scale and translation of a level, one number an axis. */
interface Transformation {
  readonly scale: readonly number[];
  readonly translation: readonly number[];
}

/** One dataset of a multiscale. */
function datasetOf(path: string, { scale, translation }: Transformation): Multiscale['datasets'][number] {
  return {
    path,
    coordinateTransformations: [
      { type: 'scale', scale: [...scale] },
      { type: 'translation', translation: [...translation] },
    ],
  };
}

/**
 * Where a coarser level lies. What was averaged over f voxels stands for their middle, (f - 1) / 2 voxels of the finer level
 * beyond its first voxel. Exact as long as the numbers are decimals that a float can say.
 */
function coarser(base: Transformation, factors: readonly number[], centred: boolean): Transformation {
  return {
    scale: base.scale.map((scale, axis) => Decimal.of(scale).times(Decimal.of(factors[axis])).toNumber()),
    translation: base.translation.map((translation, axis) => {
      const shift = Decimal.of(base.scale[axis]).times(Decimal.of(centred ? (factors[axis] - 1) / 2 : 0));
      return Decimal.of(translation).plus(shift).toNumber();
    }),
  };
}

/** The transformation of a dataset that was read and checked before. */
function transformationOf(dataset: Multiscale['datasets'][number]): Transformation {
  const [first, second] = dataset.coordinateTransformations;
  const scale = first.scale as number[];
  return { scale, translation: (second?.translation as number[] | undefined) ?? scale.map(() => 0) };
}

/**
 * Writes the metadata of a pyramid into its group, which is made where it is not there: all of it or nothing, durable when
 * the promise resolves. Other attributes of the group stay; a consolidated copy of what changes is removed.
 *
 * @param path absolute path of the group's folder
 * @throws ERR_ARRAY_EXISTS where an array stands there, or a group of the other zarr format; ERR_METADATA, ERR_IO
 */
export async function writePyramid(path: string, pyramid: Pyramid): Promise<void> {
  const { version, method, centred, world, base, levels } = pyramid;
  await writeMultiscale(path, version, [base, ...levels.map((level) => level.path)], (found) => {
    const old = pyramid.extends ? found?.datasets.find((dataset) => dataset.path === base) : undefined;
    const channels = new Array<number>(world.channelAxes).fill(0);
    const finest =
      old === undefined
        ? {
            scale: [...channels.map(() => 1), ...world.voxelSize.values],
            translation: [...channels, ...world.offset.values],
          }
        : transformationOf(old);
    const made = levels.map((level) => {
      const factors = [...channels.map(() => 1), ...level.factors];
      return datasetOf(level.path, coarser(finest, factors, centred));
    });
    if (old !== undefined && found !== undefined) {
      const kept = found.datasets.filter((one) => !levels.some((level) => level.path === one.path));
      return { ...found, datasets: [...kept, ...made].sort(finestFirst) };
    }
    const axes = imageAxes(world).map(({ name, type, unit }) => ({ name, type, ...(unit === '' ? {} : { unit }) }));
    return { axes, datasets: [datasetOf(base, finest), ...made], ...(method === undefined ? {} : { type: method }) };
  });
}

function finestFirst(a: Multiscale['datasets'][number], b: Multiscale['datasets'][number]): number {
  const size = (one: Multiscale['datasets'][number]) => transformationOf(one).scale.reduce((x, y) => x * y, 1);
  return size(a) - size(b);
}
