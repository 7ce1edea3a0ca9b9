import { readRecordedBlocks } from '../coordinator/done-record.js';
import { RecordedState } from '../coordinator/done-record-metadata.js';
import { RunFolder } from '../coordinator/run-folder.js';
import { BlockwrightError } from '../errors.js';
import { Roi } from '../geometry/roi.js';
import type { PipelinePlan } from './plan.js';
import type { PlannedTask } from './planned-task.js';

/**
 * The blocks of tasks that failed in earlier runs, as the done records have them. Memory: one byte a block of one task.
 *
 * @param box those whose writeRoi meets it alone, in world units; ERR_CONFIG for other dimensions than a task's
 */
export function recordedFailures(
  { pipeline }: PipelinePlan,
  tasks: readonly PlannedTask[],
  box?: { readonly offset: readonly number[]; readonly shape: readonly number[] },
): { readonly task: string; readonly block: number }[] {
  const folder = new RunFolder(pipeline.runDirectory);
  const roi = box === undefined ? undefined : new Roi(box.offset, box.shape);
  return tasks.flatMap(({ task: { name }, plan: { blocks } }) => {
    if (roi !== undefined && roi.dimensions !== blocks.dimensions) {
      throw new BlockwrightError(
        'ERR_CONFIG',
        `roi: expected ${blocks.dimensions} dimensions as task ${name} has, found ${roi.dimensions}`,
      );
    }
    const found: { task: string; block: number }[] = [];
    readRecordedBlocks(folder.doneRecord(name), blocks.count).forEach((state, block) => {
      if (state !== RecordedState.failed) return;
      if (roi === undefined || blocks.block(block).writeRoi.overlaps(roi)) found.push({ task: name, block });
    });
    return found;
  });
}
