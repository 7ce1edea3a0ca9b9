import { z } from 'zod';
import { isInnerPath } from '../storage/inner-path.js';
import type { TaskDefinition } from '../workers/task-definition.js';
import { executorSchema } from './executor-schema.js';
import { operation } from './operation-schema.js';
import type { TaskRegistry } from './registry.js';

/** Names become folders of the run directory and words of messages. */
const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, 'expected a name of letters, digits, _, - and . that begins with a letter');

const resources = z.record(name, z.int().positive());

/** Of an OME-Zarr image: a path below its group, or a voxel size in world units. */
const level = z.union([
  z.string().refine(isInnerPath, "expected a path inside the image's group"),
  z.array(z.int().positive()).min(1).max(6),
]);

const array = z
  .strictObject({
    store: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder of the zarr array, or of an OME-Zarr image, relative to this file; or, to be read, its address: https://host/path, s3://bucket/key',
      ),
    level: level.optional().describe('Of an image: which resolution is meant, by its path or its voxel size'),
    stack: z
      .array(name)
      .min(1)
      .optional()
      .describe('In place of a store: arrays of this file, whose channels come one after the other'),
    operations: z
      .array(operation)
      .min(1)
      .optional()
      .describe('What is done to the array while it is read, in this order; it cannot be written then'),
    neighborhood: z
      .array(z.array(z.int()).min(1).max(6))
      .min(1)
      .optional()
      .describe("Affinities: one offset in voxels a channel. Default: the array's attribute `neighborhood`"),
  })
  .refine(({ store, stack }) => (store === undefined) !== (stack === undefined), 'needs either `store` or `stack`')
  .refine(({ store, level }) => store !== undefined || level === undefined, 'has a `level` without a `store`')
  .describe('An array on disk, or what is made of such arrays while they are read');

const graph = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('sqlite'),
      path: z.string().min(1).describe('The SQLite file, relative to this file'),
    }),
  ])
  .describe('A store of region adjacency graphs');

const limits = z
  .strictObject({
    minimumFreeSpace: z
      .int()
      .min(0)
      .optional()
      .describe(
        'Bytes; with less on a disk that the run writes to, no blocks are begun. Default: 1 GiB, at most 5 % of it',
      ),
    spacePatience: z
      .number()
      .positive()
      .optional()
      .describe('Seconds that the run waits for disk space, all in all, before it stops. Default: 86400'),
    deadline: z.number().positive().optional().describe('Seconds after which the run stops in order. Default: none'),
  })
  .describe('What holds up or stops a run');

const skip = z
  .strictObject({
    mask: name.optional().describe('An array: blocks whose writeRoi holds no voxel of it that is not 0 are skipped'),
    blocks: name.optional().describe('An array with one cell a block, in the shape of the grid: not 0 means skip'),
  })
  .describe('Which blocks are skipped, decided anew when a run begins');

/** What every task has, beside the options of its type. */
const common = {
  after: z.array(name).optional().describe('Tasks that end before this one begins, beside those it shares data with'),
  retries: z.int().min(0).max(100).optional().describe('How often a block that failed is tried again. Default: 2'),
  blockTimeout: z.number().positive().optional().describe('Seconds after which a block counts as hung. Default: none'),
  executor: name.optional().describe('Which of the `executors` runs its blocks. Default: the `executor`'),
  skip: skip.optional(),
  resources: resources.optional().describe("What one block holds of the pipeline's `resources` while it runs"),
};

/** The schema of one task of a pipeline file: the definition's options, and what every task has. */
function taskSchema(definition: TaskDefinition) {
  const options = definition.options as unknown as z.ZodObject;
  return options
    .safeExtend({ type: z.literal(definition.type), ...common })
    .strict()
    .describe(definition.description);
}

/** The one schema of a pipeline: of its file, of what is passed in code, and of the JSON Schema for editors. */
export function pipelineSchema(registry: TaskRegistry) {
  const [first, ...rest] = registry.definitions.map(taskSchema);
  const noType = z.looseObject({ type: z.string().refine(() => false, 'expected a task type; there are none') });
  return z
    .strictObject({
      name: name.describe('Name of the pipeline'),
      runDirectory: z
        .string()
        .min(1)
        .optional()
        .describe('Folder of the done records, journal and logs; one a pipeline. Default: <name>.run'),
      arrays: z.record(name, array).default({}).describe('The arrays that tasks read and write, by name'),
      graphs: z.record(name, graph).default({}).describe('The graphs that tasks read and write, by name'),
      executor: executorSchema.default({ type: 'local' }),
      executors: z
        .record(name, executorSchema)
        .default({})
        .describe('Further ones, which tasks name as their `executor`'),
      maxWorkers: z.int().min(1).optional().describe('The most workers of all executors together. Default: no limit'),
      resources: resources.default({}).describe('How much there is of what blocks hold while they run, e.g. {gpu: 1}'),
      limits: limits.default({}),
      plugins: z
        .array(z.string().min(1))
        .default([])
        .describe('Modules, relative to this file, that export further task definitions'),
      tasks: z
        .record(name, first === undefined ? noType : z.discriminatedUnion('type', [first, ...rest]))
        .refine((tasks) => Object.keys(tasks).length > 0, 'expected at least one task')
        .describe('What to do, by name'),
    })
    .describe('A Blockwright pipeline');
}

export type PipelineConfig = z.output<ReturnType<typeof pipelineSchema>>;

/** JSON Schema (draft 2020-12) of pipeline files, for editors. */
export function pipelineJsonSchema(registry: TaskRegistry): Record<string, unknown> {
  return z.toJSONSchema(pipelineSchema(registry), { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
}
