import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { BlockPlan } from '../blocks/plan.js';
import { BlockwrightError } from '../errors.js';
import { canonicalJson, differences, hashOf } from './canonical-json.js';
import type { DoneRecordLayout } from './done-record-layout.js';

/** The bytes of a done record; `masked`: left out by the skip mask of the last run that was to decide on the block. */
export const RecordedState = { pending: 0, done: 1, skipped: 2, failed: 3, orphaned: 4, masked: 5 } as const;
export type RecordedState = (typeof RecordedState)[keyof typeof RecordedState];

const METADATA = z.object({
  zarr_format: z.literal(3),
  node_type: z.literal('array'),
  shape: z.array(z.number().int().positive()).min(1),
  data_type: z.literal('uint8'),
  chunk_grid: z.object({
    name: z.literal('regular'),
    configuration: z.object({ chunk_shape: z.array(z.number().int().positive()) }),
  }),
  fill_value: z.literal(0),
  attributes: z.object({
    blockwright: z.object({ task: z.string(), planHash: z.string(), identity: z.unknown() }),
  }),
});

/** Differences that a message lists; all are in the error's details. */
const LISTED_DIFFERENCES = 8;
/** Of a value that is shown. */
const SHOWN_CHARACTERS = 200;

/** Whose record it is. */
export interface RecordIdentity {
  readonly task: string;
  /** Everything that decides the task's outcome, as JSON. */
  readonly identity: unknown;
  /** Where the grid lies, so that viewers can lay it over the volume. */
  readonly world?: GridWorld | undefined;
}

/** A grid of blocks in the world, as attributes of an array of one cell a block: a cell is as large as a block's writeRoi. */
export interface GridWorld {
  readonly offset: readonly number[];
  readonly voxel_size: readonly number[];
}

export type RecordMetadata = z.infer<typeof METADATA>;

/** The identity of a task's record: what it does, and in which blocks. */
export function recordIdentity(task: string, identity: unknown, plan: BlockPlan): RecordIdentity {
  return { task, identity: { task: identity, plan: plan.toJSON() }, world: gridWorld(plan) };
}

export function gridWorld(plan: BlockPlan): GridWorld {
  return { offset: plan.totalWriteRoi.offset.values, voxel_size: plan.blockShape.values };
}

/** What `zarr.json` says. */
export function describeRecord(layout: DoneRecordLayout, whose: RecordIdentity): object {
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: layout.shape,
    data_type: 'uint8',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: layout.chunkShape } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    codecs: [{ name: 'bytes' }],
    attributes: {
      ...whose.world,
      states: RecordedState,
      blockwright: { task: whose.task, planHash: hashOf(whose.identity), identity: whose.identity },
    },
  };
}

/** A record that cannot be read. Nothing is lost with it but the knowledge of what is done. */
export function damagedRecord(
  code: 'ERR_METADATA' | 'ERR_CHUNK_CORRUPT',
  file: string,
  text: string,
  options?: ErrorOptions,
): BlockwrightError {
  const message = `done record ${file}: ${text}. To do the task's blocks again, delete the folder of the record`;
  return new BlockwrightError(code, message, { file }, options);
}

/** Reads a `zarr.json`; ERR_METADATA when it is no done record's. */
export function readDescription(file: string): RecordMetadata {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw damagedRecord('ERR_METADATA', file, 'expected JSON', { cause: error });
  }
  const parsed = METADATA.safeParse(content);
  if (!parsed.success) {
    throw damagedRecord('ERR_METADATA', file, z.prettifyError(parsed.error));
  }
  const { planHash, identity } = parsed.data.attributes.blockwright;
  if (planHash !== hashOf(identity)) {
    throw damagedRecord('ERR_METADATA', file, 'planHash is not the hash of the identity beside it');
  }
  return parsed.data;
}

/** ERR_PLAN_CHANGED unless a record is that of the task. */
export function checkTask(file: string, { attributes }: RecordMetadata, whose: RecordIdentity): void {
  const { task } = attributes.blockwright;
  if (task === whose.task) return;
  throw new BlockwrightError(
    'ERR_PLAN_CHANGED',
    `done record ${file}: expected that of task ${whose.task}, found that of task ${task}`,
  );
}

export function isOfPlan({ attributes }: RecordMetadata, whose: RecordIdentity): boolean {
  return attributes.blockwright.planHash === hashOf(whose.identity);
}

/** The refusal of a record with done blocks of another plan; names what differs. */
export function planChanged(folder: string, { attributes }: RecordMetadata, whose: RecordIdentity): BlockwrightError {
  const different = differences(attributes.blockwright.identity, JSON.parse(canonicalJson(whose.identity)));
  // Of the tasks before this one only hashes are known: theirs say what differs.
  const listed = different
    .slice(0, LISTED_DIFFERENCES)
    .map(({ key, before, after }) =>
      /^task\.upstream\.[^.]+$/.test(key) && typeof before === 'string' && typeof after === 'string'
        ? `  ${key}: has another plan`
        : `  ${key}: was ${show(before)}, is ${show(after)}`,
    );
  const more = different.length - listed.length;
  if (more > 0) listed.push(`  and ${more} more ${more === 1 ? 'difference' : 'differences'}`);
  return new BlockwrightError(
    'ERR_PLAN_CHANGED',
    `task ${whose.task}: its blocks were begun with another plan. Undo the change, use another run directory and other stores, or remove ` +
      `${folder} to run the task from its beginning:\n${listed.join('\n')}`,
    { task: whose.task, differences: different },
  );
}

function show(value: unknown): string {
  const text = value === undefined ? 'absent' : canonicalJson(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}
