import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { secondsOf } from '../../lib/executors/slurm-script.js';
import type { ExecutorInput } from '../../lib/pipeline/executor-schema.js';
import { batchScripts, makeExecutor } from '../../lib/pipeline/executors.js';
import { type Pipeline, pipeline } from '../../lib/pipeline/pipeline.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'executors-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function make(executor: ExecutorInput, runDirectory = 'a run') {
  return pipeline(
    {
      name: 'test',
      runDirectory,
      executor,
      arrays: { from: { store: 'from.zarr' }, to: { store: 'to.zarr' } },
      tasks: { copy: { type: 'copy', source: 'from', target: 'to' } },
    },
    { folder },
  );
}

const scriptOf = (made: Pipeline) => batchScripts(made).get('executor')!;

describe('a SLURM executor', () => {
  test('writes everything that was said into the script', async () => {
    const script = scriptOf(
      await make({
        type: 'slurm',
        workers: 3,
        cpus: 2,
        memory: '8G',
        time: '4:00:00',
        partition: 'main',
        account: 'lab',
        qos: 'long',
        constraint: 'avx512&ib',
        gpus: 'a100:1',
        flags: ['--exclusive', '--mail-type=END'],
        prologue: ['module load cuda'],
        environment: { GREETING: "it's" },
      }),
    );
    const lines = script.trimEnd().split('\n');
    expect(lines[0]).toBe('#!/bin/bash');
    expect(lines.filter((line) => line.startsWith('#SBATCH'))).toEqual([
      '#SBATCH --job-name=test-plan',
      '#SBATCH --array=0-2',
      `#SBATCH --output="${folder}/a run/logs/test-plan.log"`,
      '#SBATCH --open-mode=append',
      '#SBATCH --nodes=1',
      '#SBATCH --ntasks=1',
      '#SBATCH --cpus-per-task=2',
      '#SBATCH --mem=8G',
      '#SBATCH --time=4:00:00',
      '#SBATCH --partition=main',
      '#SBATCH --account=lab',
      '#SBATCH --qos=long',
      '#SBATCH --constraint=avx512&ib',
      '#SBATCH --gpus=a100:1',
      '#SBATCH --signal=B:USR1@120',
      '#SBATCH --no-requeue',
      '#SBATCH --exclusive',
      '#SBATCH --mail-type=END',
    ]);
    expect(lines).toEqual(
      expect.arrayContaining(['export OMP_NUM_THREADS=2', "export GREETING='it'\\''s'", 'module load cuda']),
    );
    expect(lines[lines.length - 1]).toMatch(
      /^exec \S*node (--disable-sigusr1 )?\S+blockwright\.js worker --run-directory '.*a run' --drain-seconds 105 --worker-id "\$worker"$/,
    );
  });

  test('starts the worker of its place, with its log, whatever the names of folders', async () => {
    const run = `it's "a" run $HOME %a \\ ü`;
    const script = scriptOf(await make({ type: 'slurm', workers: 3 }, run));
    mkdirSync(join(folder, run, 'logs'), { recursive: true });
    // the worker's program is exchanged for one that says what it got
    writeFileSync(
      join(folder, 'script'),
      script.replace(/^exec \S*node .*blockwright\.js worker/m, `exec printf '%s\\n'`),
    );
    const { status, stderr } = spawnSync('bash', [join(folder, 'script')], {
      env: { ...process.env, SLURM_ARRAY_TASK_ID: '2' },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(
      readFileSync(join(folder, run, 'logs', 'worker-1.2.log'), 'utf8')
        .trimEnd()
        .split('\n'),
    ).toEqual(['--run-directory', join(folder, run), '--drain-seconds', '105', '--worker-id', '1.2']);
  });

  test('warns in the last quarter of a short time', async () => {
    const signal = (script: string) => /--signal=(\S+)/.exec(script)?.[1];
    expect(signal(scriptOf(await make({ type: 'slurm', workers: 1, time: '4' })))).toBe('B:USR1@60');
    expect(signal(scriptOf(await make({ type: 'slurm', workers: 1, warnSeconds: 300 })))).toBe('B:USR1@300');
  });

  test('is made as the file says', async () => {
    const executor = makeExecutor((await make({ type: 'slurm', workers: 2 })).executor, 'test');
    expect(executor).toMatchObject({ name: 'slurm', startSeconds: Number.POSITIVE_INFINITY });
    const local = await make({ type: 'local' });
    expect(makeExecutor(local.executor, 'test').name).toBe('local');
    expect(() => scriptOf(local)).toThrow('executor.type is local: nothing is submitted to a cluster');
  });

  test('is refused with everything that is wrong with it', async () => {
    const wrong = {
      type: 'slurm',
      workers: 0,
      memory: 'lots',
      time: '4 hours',
      flags: ['exclusive', '--a\n#SBATCH --b'],
      partition: 'two words',
      gpus: [1],
      environment: { 'MY-VAR': 'x' },
      partitoin: 'main',
    };
    const error = await make(wrong as unknown as ExecutorInput).catch((thrown: unknown) => thrown);
    const lines = (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
    expect(lines.sort()).toEqual([
      "executor.environment.MY-VAR: expected the name of a variable, found 'MY-VAR'",
      "executor.flags[0]: expected an option, as `--exclusive`, found 'exclusive'",
      expect.stringContaining('executor.flags[1]: expected one line'),
      'executor.gpus: expected a number or text, found a list of 1',
      "executor.memory: expected memory as 8G or 500M (without a letter: MiB), found 'lots'",
      "executor.partition: expected one word, found 'two words'",
      "executor.partitoin: unknown key (did you mean 'partition'?)",
      "executor.time: expected a time as '4:00:00', '1-12' (days-hours) or '90' (minutes), found '4 hours'",
      'executor.workers: expected a number of at least 1, found 0',
    ]);
  });
});

test('times as sbatch reads them', () => {
  expect(['90', '1:30', '4:00:00', '1-12', '1-12:30', '2-01:02:03'].map(secondsOf)).toEqual([
    5400, 90, 14_400, 129_600, 131_400, 176_523,
  ]);
});
