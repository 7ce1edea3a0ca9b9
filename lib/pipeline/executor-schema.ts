import { z } from 'zod';

/** One line of a script: more would be other lines than those that people see. */
const line = z.string().refine((text) => !/[\r\n\0]/.test(text), 'expected one line');
const word = line.refine((text) => text !== '' && !/\s/.test(text), 'expected one word');

/** What the jobs of every batch system have. */
export const batchJob = {
  workers: z.int().min(1).max(100_000).describe('How many jobs run blocks at once'),
  profile: line
    .min(1)
    .optional()
    .describe(
      'A file of `blockwright doctor --save`, relative to this file: what is not said here is as its `executor` says',
    ),
  cpus: z
    .int()
    .min(1)
    .max(4096)
    .optional()
    .describe('Processors of a worker, and threads of its libraries. Default: 1'),
  flags: z
    .array(line.regex(/^-\S/, 'expected an option, as `--exclusive`'))
    .optional()
    .describe('Options of the submitting command, word for word; they come last, so they win'),
  prologue: z.array(line).optional().describe('Lines of shell before the worker begins, e.g. `module load cuda`'),
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'), line)
    .optional()
    .describe('Variables of the worker. No secrets: they are in the script, which others may read'),
  warnSeconds: z
    .int()
    .min(2)
    .max(86_400)
    .optional()
    .describe(
      'How long before the end of its time a worker takes no more blocks. Default: 120, or a quarter of `time`',
    ),
  idleSeconds: z
    .number()
    .min(1)
    .max(86_400)
    .optional()
    .describe('After how long without a block a job is ended; another is submitted when there is work. Default: 120'),
  listen: z
    .strictObject({
      interface: word.optional().describe('Network interface of the host where the run is started, e.g. ib0'),
      address: word.optional().describe('Address of that host'),
      port: z.int().min(1).max(65_535).optional().describe('Default: any that is free'),
      hostToo: z.boolean().optional().describe('Workers on that host come over the network, too. Default: false'),
    })
    .optional()
    .describe('Where the run listens for its workers. Default: on every address that other hosts could reach'),
  pollSeconds: z.number().min(1).max(600).optional().describe('How often the jobs are asked for. Default: 5'),
};

const local = z
  .strictObject({
    type: z.literal('local'),
    workers: z.int().min(1).max(1024).optional().describe("Default: the machine's cores"),
  })
  .describe('Worker processes on this machine');

const slurm = z
  .strictObject({
    type: z.literal('slurm'),
    ...batchJob,
    partition: word.optional().describe("Default: the cluster's"),
    account: word.optional(),
    qos: word.optional(),
    constraint: word.optional().describe('Features that nodes must have'),
    memory: z
      .string()
      .regex(/^[1-9]\d*[KMGT]?$/, 'expected memory as 8G or 500M (without a letter: MiB)')
      .optional()
      .describe("Memory of a worker, e.g. 8G. Default: the partition's"),
    time: z
      .string()
      .regex(
        /^(\d+-\d+(:\d+){0,2}|\d+(:\d+){0,2})$/,
        "expected a time as '4:00:00', '1-12' (days-hours) or '90' (minutes)",
      )
      .optional()
      .describe(
        "Longest time of a worker, e.g. 4:00:00; another follows while there is work. Default: the partition's",
      ),
    gpus: z
      .union([z.int().positive(), word.regex(/^[^-]/, 'expected a number, or a type and number as a100:1')])
      .optional()
      .describe('Graphics processors of a worker: how many, or with their type, e.g. a100:1'),
  })
  .describe('Workers as jobs of a SLURM cluster');

const lsf = z
  .strictObject({
    type: z.literal('lsf'),
    ...batchJob,
    queue: word.optional().describe("Default: the cluster's"),
    project: word.optional(),
    resources: line.min(1).optional().describe('Requirement of nodes as `bsub -R` has it, e.g. select[avx512]'),
    memory: z
      .string()
      .regex(/^[1-9]\d*([KMGT]B)?$/, 'expected memory as 8GB or 500MB (without letters: in the unit of the cluster)')
      .optional()
      .describe("Memory that is reserved for a worker, e.g. 8GB. Default: the queue's"),
    time: z
      .string()
      .regex(/^\d+(:[0-5]?\d)?$/, "expected a time as '4:00' (hours:minutes) or '90' (minutes)")
      .optional()
      .describe("Longest time of a worker, e.g. '4:00'; another follows while there is work. Default: the queue's"),
    gpus: z
      .union([
        z.int().positive(),
        word.regex(/^[^-]/, 'expected a number, or as `bsub -gpu` has it: num=1:mode=shared'),
      ])
      .optional()
      .describe('Graphics processors of a worker: how many, or as `bsub -gpu` has it'),
  })
  .describe('Workers as jobs of an LSF cluster');

/** What runs the workers. */
export const executorSchema = z.discriminatedUnion('type', [local, slurm, lsf]).describe('What runs the workers');

export type ExecutorConfig = z.output<typeof executorSchema>;
export type ExecutorInput = z.input<typeof executorSchema>;
