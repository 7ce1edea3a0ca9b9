import { rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readRunStatus } from '../coordinator/run-status.js';
import { BlockwrightError } from '../errors.js';
import { Roi } from '../geometry/roi.js';
import { arrayEntries } from '../storage/array-folder.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { WRITER_FILE } from '../storage/stored-files.js';
import { openVolume } from '../storage/volume-source.js';
import type { BlockOptions } from '../tasks/block-options.js';
import { LEVEL } from '../tasks/copy.js';
import type { NewArrayOptions } from '../tasks/new-array-options.js';
import { resolvePath, withoutLinks } from './paths.js';
import { type ArrayInput, type Pipeline, pipeline } from './pipeline.js';
import { isInside } from './places.js';
import { whyNotWritable } from './writable.js';

/** A copy of one array, as the command line asks for it. */
export interface CopyRequest extends NewArrayOptions {
  /** Path of an array. */
  readonly source: string;
  /** What is done to it while it is read; not checked yet. What follows is of the result. */
  readonly operations?: readonly unknown[] | undefined;
  /** Path where the copy will be. */
  readonly target: string;
  /** The target becomes an OME-Zarr image of one level. */
  readonly ome?: '0.4' | '0.5' | undefined;
  /** Voxels of a block. @default chosen */
  readonly blockSize?: readonly number[] | undefined;
  /** World units. */
  readonly roi?: BlockOptions['roi'];
  /** Voxels of the physical axes, in place of `roi`. @default the first voxel */
  readonly begin?: readonly number[] | undefined;
  /** @default the end of the array */
  readonly end?: readonly number[] | undefined;
}

/** What {@link copyPipeline} makes. */
export interface Copy {
  readonly pipeline: Pipeline;
  /** Whether it goes on with a copy that was begun before. */
  readonly continues: boolean;
}

/** Where the run of a copy lies: beside the target, only until the copy is complete. */
export function copyRunDirectory(target: string): string {
  const path = resolve(target);
  return join(dirname(path), `${basename(path)}.copy.run`);
}

/**
 * The pipeline of one task, 'copy', that makes a copy or goes on with one that was interrupted.
 *
 * @throws ERR_ARRAY_EXISTS when something is at the target that no unfinished copy left; ERR_ARRAY_MISSING, ... when the source
 *   cannot be opened; ERR_PLAN when one lies in the other, or the target cannot be written; ERR_CONFIG
 */
export async function copyPipeline(request: CopyRequest): Promise<Copy> {
  const { source, target, operations, begin, end, roi, ...task } = request;
  const from = resolvePath(process.cwd(), source);
  const to = resolvePath(process.cwd(), target);
  if (to !== resolve(to)) {
    throw new BlockwrightError('ERR_UNSUPPORTED', `${to}: expected a local folder to copy to`, { path: to });
  }
  await openVolume({ store: from }); // says what is there in place of an array
  checkPlaces(from, to);
  const reason = await whyNotWritable(join(to, 'zarr.json'));
  if (reason !== undefined) {
    throw new BlockwrightError('ERR_PLAN', `the target ${to} cannot be written: ${reason}`, { path: to });
  }
  const runDirectory = copyRunDirectory(to);
  const continues = readRunStatus(runDirectory) !== undefined;
  if (!continues) {
    await checkTarget(to);
    if (request.ome !== undefined) await checkTarget(join(to, LEVEL));
  }
  const make = (part: BlockOptions['roi']) => {
    const given = Object.entries({ ...task, roi: part }).filter(([, value]) => value !== undefined);
    const array = { store: from, ...(operations === undefined ? {} : { operations }) } as ArrayInput;
    return pipeline({
      name: 'copy',
      runDirectory,
      arrays: { source: array, target: { store: to } },
      tasks: { copy: { type: 'copy', source: 'source', target: 'target', ...Object.fromEntries(given) } },
    });
  };
  const made = await make(roi);
  if (begin === undefined && end === undefined) return { pipeline: made, continues };
  const { metadata } = await openVolume(made.arrays.get('source')!.source);
  return { pipeline: await make(partOf(metadata, { begin, end, roi })), continues };
}

/** Removes the run folder of a copy that is complete, and the note of it. */
export async function removeCopyRun({ runDirectory, arrays }: Pipeline): Promise<void> {
  const target = arrays.get('target')!.store!;
  for (const folder of [target, join(target, LEVEL)]) await rm(join(folder, WRITER_FILE), { force: true });
  await rm(runDirectory, { recursive: true, force: true });
}

async function checkTarget(target: string): Promise<void> {
  const entries = await arrayEntries(target);
  if (entries.length === 0) return;
  throw new BlockwrightError(
    'ERR_ARRAY_EXISTS',
    `${target} is there already, and no copy to it is unfinished: it is complete, or something else. Remove it to copy again`,
    { path: target, entries },
  );
}

/** Neither may lie in the other, nor be the other, also by way of links. */
function checkPlaces(source: string, target: string): void {
  const [from, to] = [withoutLinks(source), withoutLinks(target)];
  const relation = from === to ? 'is' : isInside(to, from) ? 'lies inside' : isInside(from, to) ? 'holds' : undefined;
  if (relation === undefined) return;
  throw new BlockwrightError(
    'ERR_PLAN',
    `the target ${target} ${relation} the source ${source}: copy to another place`,
    {
      source,
      target,
    },
  );
}

/** Voxels as a box of the world. */
function partOf(
  { shape, channelAxes, offset, voxelSize }: ArrayMetadata,
  { begin, end, roi }: Pick<CopyRequest, 'begin' | 'end' | 'roi'>,
): BlockOptions['roi'] {
  if (roi !== undefined) throw new BlockwrightError('ERR_CONFIG', 'give begin and end, or roi, not both');
  const extents = shape.slice(channelAxes);
  const from = begin ?? extents.map(() => 0);
  const to = end ?? extents;
  const fits = (first: number, axis: number) => first >= 0 && first < to[axis] && to[axis] <= extents[axis];
  if (from.length !== extents.length || to.length !== extents.length || !from.every(fits)) {
    throw new BlockwrightError(
      'ERR_CONFIG',
      `begin, end: expected voxels inside [${extents.join(', ')}], found [${from.join(', ')}] to [${to.join(', ')}]`,
    );
  }
  const part = new Roi(
    offset.add(voxelSize.multiply(from)),
    voxelSize.multiply(to.map((last, axis) => last - from[axis])),
  );
  return { offset: part.offset.values, shape: part.shape.values };
}
