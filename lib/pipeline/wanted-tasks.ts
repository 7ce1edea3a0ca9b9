import type { GridRange } from '../blocks/grid-range.js';
import { gridRangeCount } from '../blocks/grid-range.js';
import { allBlocks, blocksIn, wantedBlocks } from '../blocks/wanted-blocks.js';
import { BlockwrightError } from '../errors.js';
import { Roi } from '../geometry/roi.js';
import type { PipelinePlan } from './plan.js';

/** A box in world units, as data. */
export interface RoiInput {
  readonly offset: readonly number[];
  readonly shape: readonly number[];
}

/** What of a pipeline is asked for. */
export interface WantedInput {
  readonly roi?: RoiInput | undefined;
  readonly until?: readonly string[] | undefined;
}

/**
 * The blocks of each task that have to be done for what is asked for; undefined when that is everything.
 *
 * @throws ERR_CONFIG for a task that is not there, and for a Roi in which nothing is written
 */
export function wantedOf(
  { tasks }: PipelinePlan,
  { roi, until }: WantedInput,
): ReadonlyMap<string, GridRange> | undefined {
  if (roi === undefined && until === undefined) return undefined;
  const names = tasks.map(({ task }) => task.name);
  const places = (list: readonly string[]) => list.map((name) => names.indexOf(name));
  const inOrder = tasks.map(({ plan, upstream, barriers }) => {
    return { plan: plan.blocks, upstream: places(upstream), barriers: places(barriers) };
  });
  const waitedFor = new Set(inOrder.flatMap(({ upstream, barriers }) => [...upstream, ...barriers]));
  const finals = until === undefined ? [...names.keys()].filter((place) => !waitedFor.has(place)) : places(until);
  const unknown = until?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new BlockwrightError('ERR_CONFIG', `until: expected one of ${names.join(', ')}, found ${unknown}`);
  }
  const box = roi === undefined ? undefined : new Roi(roi.offset, roi.shape);
  const asked = new Map(
    finals.map((place) => {
      const { plan } = inOrder[place];
      return [place, box === undefined ? allBlocks(plan) : blocksIn(plan, box)] as const;
    }),
  );
  if (box !== undefined && [...asked.values()].every((range) => gridRangeCount(range) === 0)) {
    const totals = finals.map((place) => `${names[place]} ${inOrder[place].plan.totalWriteRoi}`);
    throw new BlockwrightError(
      'ERR_CONFIG',
      `roi: expected a box in which something is written (${totals.join(', ')}), found ${box}`,
    );
  }
  const wanted = wantedBlocks(inOrder, asked);
  return new Map(names.map((name, place) => [name, wanted[place]]));
}
