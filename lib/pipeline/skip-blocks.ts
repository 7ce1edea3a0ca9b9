import type { FindSkipped } from '../coordinator/run-task.js';
import type { ErrorCode } from '../errors.js';
import type { ArrayMetadata } from '../storage/metadata.js';
import { openVolume } from '../storage/volume-source.js';
import { blocksWithVoxels, cellsOfBlocks, voxelsOfBlocks } from './block-voxels.js';
import type { Check } from './check.js';
import type { Pipeline } from './pipeline.js';
import type { PlannedTask } from './planned-task.js';
import { type Refusal, refusal } from './refusal.js';
import { resourceKey, resourcePath, storedResources } from './resource-key.js';
import { writesOf } from './upstream.js';

/** What a task's `skip` leaves out, asked anew in each run; undefined where it has none. */
export function skippedBlocks(pipeline: Pipeline, { task, plan }: PlannedTask): FindSkipped | undefined {
  const { skip } = task;
  if (skip === undefined) return undefined;
  const { blocks } = plan;
  const open = (name: string) => openVolume(pipeline.arrays.get(name)!.source);
  return async (first, asked) => {
    let skipped = new Uint8Array(asked.length);
    if (skip.blocks !== undefined) {
      const voxels = cellsOfBlocks(blocks);
      skipped = Uint8Array.from(
        await blocksWithVoxels(await open(skip.blocks), { plan: blocks, voxels }, first, asked),
      );
    }
    if (skip.mask !== undefined) {
      const mask = await open(skip.mask);
      const rest = asked.map((one, i) => (one === 1 && skipped[i] === 0 ? 1 : 0));
      const voxels = voxelsOfBlocks(blocks, mask.metadata);
      const wanted = await blocksWithVoxels(mask, { plan: blocks, voxels }, first, rest);
      for (let i = 0; i < rest.length; i++) if (rest[i] === 1 && wanted[i] === 0) skipped[i] = 1;
    }
    return skipped;
  };
}

/** The arrays of `skip` are read before the first block: they must be there, and fit the blocks. */
export function checkSkip(
  { pipeline, task, plan, planned, stored }: Check,
  arrays: ReadonlyMap<string, ArrayMetadata>,
): Refusal[] {
  const { blocks } = plan;
  return Object.entries(task.skip ?? {}).flatMap(([key, name]): Refusal[] => {
    const refuse = (text: string, code?: ErrorCode) => [
      refusal(pipeline, ['tasks', task.name, 'skip', key], text, code),
    ];
    for (const { resource } of storedResources(pipeline, { kind: 'array', name })) {
      const place = resourceKey(pipeline, resource);
      const writer = planned.find((one) => writesOf(one.plan).some((other) => resourceKey(pipeline, other) === place));
      if (writer !== undefined) {
        const whose = `the task '${writer.task.name}' writes '${name}'`;
        return refuse(
          `expected an array that is there before the run begins, and ${whose}: make it in a pipeline of its own`,
        );
      }
      const path = resourcePath(pipeline, resource);
      if (stored.get(path)?.metadata === undefined) {
        return refuse(`the array '${name}' is not there (${path})`, 'ERR_ARRAY_MISSING');
      }
    }
    const metadata = arrays.get(name);
    if (metadata === undefined) return [];
    const { shape, channelAxes } = metadata;
    if (key === 'blocks') {
      const grid = blocks.gridShape.values;
      if (shape.length === grid.length && shape.every((size, i) => size === grid[i])) return [];
      return refuse(`expected one cell a block, in the shape of the grid, [${grid}], found [${shape}]`);
    }
    if (shape.length - channelAxes === blocks.dimensions) return [];
    return refuse(
      `expected ${blocks.dimensions} physical axes, as the blocks have, found ${shape.length - channelAxes}`,
    );
  });
}
