import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BatchExecutor } from '../../lib/executors/batch-executor.js';
import { Slurm, type SlurmOptions } from '../../lib/executors/slurm.js';
import { toyWorker } from '../support/toy-run.js';

/** Toy workers as jobs of a test's cluster; everything is asked for and tried again soon. */
export function toyJobs(env: Readonly<Record<string, string>>, options: SlurmOptions = {}): BatchExecutor {
  const system = new Slurm({ ...options, commandEnvironment: { ...env, ...options.commandEnvironment } });
  const command = [process.execPath, toyWorker];
  // all nodes are this host
  const listen = { address: '127.0.0.1', hostToo: true };
  return new BatchExecutor({ system, command, label: 'toy', listen, pollSeconds: 1, retrySeconds: 0.5 });
}

interface Line {
  readonly event: string;
  readonly name: string;
  readonly workers?: readonly string[];
  readonly jobs?: readonly string[];
}

/** What a run wrote down about its jobs. */
export function jobLines(run: string): Line[] {
  const lines = readFileSync(join(run, 'jobs-slurm.jsonl'), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
}

/** The job of a worker. */
export function jobOf(run: string, worker: string): string {
  const lines = jobLines(run);
  const { name, workers } = lines.find((line) => line.workers?.includes(worker))!;
  return lines.find((line) => line.name === name && line.jobs !== undefined)!.jobs![workers!.indexOf(worker)];
}
