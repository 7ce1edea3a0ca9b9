import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BlockPlan, type BlockPlanJson } from '../../lib/blocks/plan.js';
import type { WorkerBlockContext } from '../../lib/workers/block-attempt.js';
import type { ProcessBlock } from '../../lib/workers/block-runner.js';
import { runWorker } from '../../lib/workers/worker.js';

/**
 * A worker process whose tasks write small files: `<output>/<task>-<block>`. What a block does is named by its task's
 * `act`, for the blocks in `on` (all without it) and up to the attempt `until`.
 */
export interface ToyTask {
  readonly name: string;
  readonly plan: BlockPlanJson;
  /** Tasks whose files a block reads where they meet its readRoi. */
  readonly upstream?: readonly string[];
  /** Milliseconds that a block takes. */
  readonly milliseconds?: number;
  readonly act?:
    | 'throw'
    | 'abort'
    | 'exit'
    | 'hang'
    | 'print-and-die'
    | 'noop'
    | 'skip'
    | 'call'
    | 'await'
    | 'busy'
    | 'late'
    | 'stand still'
    | 'crowd'
    | 'allocate'
    | 'heap'
    | 'bad host'
    | 'slow'
    | 'wait';
  readonly on?: readonly number[];
  readonly until?: number;
}

export interface ToyConfig {
  readonly output: string;
  readonly tasks: readonly ToyTask[];
}

const argument = (name: string) => process.argv[process.argv.indexOf(name) + 1];

export function toyFile(output: string, task: string, block: number): string {
  return join(output, `${encodeURIComponent(task)}-${block}`);
}

/** Reads what must be there; writes a digest of it: a block that ran before what it waits for fails. */
async function computeDigest(config: ToyConfig, task: ToyTask, block: number, context: WorkerBlockContext) {
  const plan = BlockPlan.fromJSON(task.plan);
  const digest = createHash('sha256').update(`${task.name} ${block}\n`);
  const neighbours = new Float64Array(Math.max(1, plan.maxNeighbours));
  const count = plan.upstream(block, neighbours);
  for (const neighbour of [...neighbours.subarray(0, count)].sort((a, b) => a - b)) {
    digest.update(readFileSync(toyFile(config.output, task.name, neighbour)));
  }
  for (const name of task.upstream ?? []) {
    const upstream = config.tasks.find((other) => other.name === name)!;
    const other = BlockPlan.fromJSON(upstream.plan);
    const { readRoi } = plan.block(block);
    for (let index = 0; index < other.count; index++) {
      if (other.writeRoi(index).overlaps(readRoi)) digest.update(readFileSync(toyFile(config.output, name, index)));
    }
  }
  if (task.milliseconds !== undefined) await delay(task.milliseconds);
  const file = toyFile(config.output, task.name, block);
  // a witness of each computation, to see what was computed again
  writeFileSync(join(config.output, 'computed.txt'), `${task.name} ${block}\n`, { flag: 'a' });
  const temporary = `${file}.${context.epoch}.${context.attempt}.${process.pid}`;
  writeFileSync(temporary, digest.digest('hex'));
  renameSync(temporary, file);
}

/** Whether this process has had its turn to meet another, see {@link crowd}. */
let met = false;

/**
 * Needs memory of which there is enough for one block: fails where it meets another. The first blocks of two workers wait for
 * each other, so that they surely do.
 */
async function crowd(task: ToyTask, block: number): Promise<'go on'> {
  const place = join(argument('--run-directory'), `crowd-${task.name}`);
  mkdirSync(place, { recursive: true });
  const own = join(place, `at-work-${block}`);
  writeFileSync(own, '');
  try {
    const seats = [0, 1].map((seat) => join(place, `met-${seat}`));
    const seated = !met && seats.some((seat) => takes(seat));
    met = true;
    if (seated) {
      while (!seats.every((seat) => existsSync(seat))) await delay(5);
      throw new RangeError('Array buffer allocation failed');
    }
    await delay(30);
    const others = readdirSync(place).filter((name) => name.startsWith('at-work-')).length - 1;
    if (others > 0) throw new RangeError('Array buffer allocation failed');
    return 'go on';
  } finally {
    rmSync(own);
  }
}

/** Whether a file was not there; it is now. */
function takes(file: string): boolean {
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

async function act(
  { output }: ToyConfig,
  task: ToyTask,
  block: number,
  context: WorkerBlockContext,
): Promise<'go on' | 'skipped' | 'done'> {
  if (task.act === undefined || (task.on !== undefined && !task.on.includes(block))) return 'go on';
  if (context.attempt > (task.until ?? Number.POSITIVE_INFINITY)) return 'go on';
  switch (task.act) {
    case 'throw':
      context.log(`about to fail in attempt ${context.attempt}`);
      throw Object.assign(new Error(`toy failure of block ${block}`), { code: 'ENOSPC' });
    case 'abort':
      return process.abort();
    case 'exit':
      return process.exit(3);
    case 'hang':
      context.log('hangs');
      await new Promise(() => undefined);
      return 'done';
    case 'busy':
      context.log('busy without end');
      for (;;) if (performance.now() < 0) return 'done';
    case 'print-and-die':
      console.log(`last words of block ${block}`);
      process.kill(process.pid, 'SIGKILL');
      return 'done';
    case 'late':
      void delay(5).then(() => {
        throw new Error('thrown after the block');
      });
      await delay(1000);
      return 'done';
    case 'stand still':
      // until something wakes the process up, if it does
      process.kill(process.pid, 'SIGSTOP');
      return 'go on';
    case 'await': {
      // says that it waits, and waits to be told to go on
      const gate = (state: string) => join(dirname(output), `${state}-${task.name}-${block}`);
      writeFileSync(gate('waiting'), context.workerId);
      while (!existsSync(gate('open'))) await delay(20);
      return 'go on';
    }
    case 'slow':
      await delay(120);
      return 'go on';
    case 'wait':
      // until the block is given up
      return new Promise((_, reject) => {
        context.log('waits');
        const end = () => reject(context.signal.reason);
        context.signal.addEventListener('abort', end);
      });
    case 'crowd':
      return crowd(task, block);
    case 'allocate':
      // more than the address space that the test leaves
      return new ArrayBuffer(2 ** 36).byteLength > 0 ? 'done' : 'go on';
    case 'heap': {
      const kept: number[][] = [];
      for (;;) kept.push(Array.from({ length: 1000 }, (_, i) => i + kept.length / 2));
    }
    case 'bad host':
      if (process.env.SLURMD_NODENAME === 'bad') {
        // who fails alone is not told apart: the other host has to be at work
        while (!readdirSync(output).some((name) => name.startsWith(`${task.name}-`))) await delay(5);
        throw new Error('no such device');
      }
      return 'go on';
    case 'skip':
      return 'skipped';
    case 'noop':
      return 'done';
    case 'call': {
      const bytes = new Uint8Array(3 * 8).fill(block);
      const { header, payload } = await context.call('toy', 'echo', { block }, bytes);
      let sum = 0;
      for await (const item of context.stream('toy', 'count', { to: 5 })) sum += Number(item.header);
      if (JSON.stringify(header) !== `{"block":${block}}` || Buffer.compare(bytes, payload) !== 0 || sum !== 15) {
        throw new Error(`wrong answers: ${JSON.stringify(header)} ${payload} ${sum}`);
      }
      return 'go on';
    }
  }
}

/** A worker that ends before it does anything, when the environment says so. */
if (process.env.TOY_EXIT !== undefined) {
  console.error('this worker cannot start: no toys');
  process.exit(Number(process.env.TOY_EXIT));
}

if (process.argv.includes('--worker-id')) {
  await runWorker({
    runDirectory: argument('--run-directory'),
    workerId: argument('--worker-id'),
    drainSeconds: process.argv.includes('--drain-seconds') ? Number(argument('--drain-seconds')) : undefined,
    async load(workerConfig) {
      const config = workerConfig as ToyConfig;
      const tasks = config.tasks.map((task): [string, ProcessBlock] => [
        task.name,
        async (block, context) => {
          const what = await act(config, task, block, context);
          if (what === 'go on') await computeDigest(config, task, block, context);
          return what;
        },
      ]);
      return new Map(tasks);
    },
  });
  if (existsSync(argument('--run-directory'))) process.exit(0);
}
