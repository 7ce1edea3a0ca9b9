import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlockPlan, type BlockPlanOptions } from '../../lib/blocks/plan.js';
import { type RunOptions, runCoordinator } from '../../lib/coordinator/run.js';
import { Roi } from '../../lib/geometry/roi.js';
import { LocalExecutor } from '../../lib/workers/local-executor.js';
import type { ToyTask } from './toy-worker.js';

/** A task of {@link toyRun}: what the toy worker does, and what the coordinator needs to know. */
export interface Toy extends Omit<ToyTask, 'plan'> {
  readonly plan: BlockPlan;
  readonly maxRetries?: number;
  readonly blockTimeoutSeconds?: number;
  readonly resources?: Record<string, number>;
  readonly identity?: unknown;
}

export const toyWorker = join(import.meta.dirname, 'toy-worker.js');

/** A plan of `shape` blocks of 10 with context 2. */
export function toyPlan(shape: readonly number[], options: Partial<BlockPlanOptions> = {}): BlockPlan {
  const size = shape.map((count) => count * 10);
  const context = shape.map(() => 2);
  return new BlockPlan({
    totalWriteRoi: new Roi(
      shape.map(() => 0),
      size,
    ),
    blockShape: shape.map(() => 10),
    contextLow: context,
    contextHigh: context,
    ...options,
  });
}

/** Two tasks, one after the other, the first with conflicts. */
export function toyChain(shape: readonly number[], milliseconds?: number): Toy[] {
  const time = milliseconds === undefined ? {} : { milliseconds };
  return [
    { name: 'first', plan: toyPlan(shape, { readWriteConflict: true }), ...time },
    { name: 'second', plan: toyPlan(shape), upstream: ['first'], ...time },
  ];
}

/** A folder under the system's temporary one, for one test. */
export function toyFolder(): { folder: string; run: string; output: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'toy-'));
  const output = join(folder, 'output');
  mkdirSync(output);
  return { folder, run: join(folder, 'toy.run'), output, remove: () => rmSync(folder, { recursive: true }) };
}

/**
 * The options of a run of toys. Signs of life are frequent, so that tests are short; that none came in time is, on a machine
 * with much to do, no sign of death, so a lease is long wherever a test does not wait for its end.
 */
export function toyOptions(
  { run, output }: { run: string; output: string },
  toys: readonly Toy[],
  options: Partial<RunOptions> & { env?: Record<string, string> } = {},
): RunOptions {
  const { env, ...others } = options;
  return {
    runDirectory: run,
    tasks: toys.map(({ name, plan, upstream = [], maxRetries, blockTimeoutSeconds, resources, identity = {} }) => ({
      name,
      plan,
      upstream,
      maxRetries,
      blockTimeoutSeconds,
      resources,
      identity,
    })),
    executor: new LocalExecutor({ command: process.execPath, args: [toyWorker], env }),
    workers: 2,
    workerConfig: { output, tasks: toys.map((toy) => ({ ...toy, plan: toy.plan.toJSON() })) },
    heartbeatSeconds: 0.2,
    leaseSeconds: 60,
    ...others,
  };
}

export function toyRun(...parameters: Parameters<typeof toyOptions>) {
  return runCoordinator(toyOptions(...parameters));
}

/** One hash of all outputs; throws when there are other files than these. */
export function outputHash(output: string, toys: readonly Toy[]): string {
  const digest = createHash('sha256');
  const expected = new Set(['computed.txt']);
  for (const { name, plan } of toys) {
    for (let block = 0; block < plan.count; block++) {
      expected.add(`${name}-${block}`);
      digest.update(readFileSync(join(output, `${name}-${block}`)));
    }
  }
  const others = readdirSync(output).filter((name) => !expected.has(name));
  // only an attempt that was killed between its write and its rename may leave something
  const strange = others.filter((name) => !/^\w+-\d+\.\d+\.\d+\.\d+$/.test(name));
  if (strange.length > 0) throw new Error(`unexpected outputs: ${strange}`);
  return digest.digest('hex');
}

/** How often each block was computed, e.g. `first 3` -> 1. */
export function computations(output: string): Map<string, number> {
  const counts = new Map<string, number>();
  const path = join(output, 'computed.txt');
  if (!existsSync(path)) return counts;
  for (const line of readFileSync(path, 'utf8').trim().split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** The journal's entries. */
export function journalOf(run: string): Record<string, unknown>[] {
  const lines = readFileSync(join(run, 'journal.jsonl'), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}
