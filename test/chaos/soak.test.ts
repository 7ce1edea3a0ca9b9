import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { processesOf, until } from '../support/processes.js';
import { amount } from './scale.js';

// fault 21: small blocks for a long time

const seconds = amount(12, 600);
/** MiB that a process may grow from a third of the time to its end: what V8 and malloc keep for later. */
const GROWTH = 48;
const program = join(import.meta.dirname, '..', '..', '..', 'bin', 'blockwright.js');
const folder = mkdtempSync(join(tmpdir(), 'blockwright-soak-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Sample {
  readonly mebibytes: number;
  readonly files: number;
  readonly threads: number;
}

function sample(pid: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    mebibytes: field('VmRSS') / 1024,
    files: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
  };
}

/** The least of several looks: a file is open while a block is read or written, and what leaks is always there. */
async function least(pids: readonly number[]): Promise<Sample[]> {
  const looks: Sample[][] = [];
  for (let i = 0; i < 20; i++) {
    looks.push(pids.map(sample));
    await delay(20);
  }
  return pids.map((_, process) => {
    const of = (field: keyof Sample) => Math.min(...looks.map((look) => look[process][field]));
    return { mebibytes: of('mebibytes'), files: of('files'), threads: of('threads') };
  });
}

test(
  `after ${seconds} seconds of small blocks no process has more memory, files or threads than at a third of them`,
  async () => {
    const run = join(folder, 'soak.run');
    // more blocks than a fast machine does in the time
    const source = { shape: [1024, 1024, 4096], chunkShape: [16, 16, 16], dataType: 'uint8', channelAxes: 0 } as const;
    const place = { offset: new Coordinate([0, 0, 0]), voxelSize: new Coordinate([1, 1, 1]), attributes: {} };
    const world = { ...place, units: ['nm', 'nm', 'nm'], axisNames: ['z', 'y', 'x'] };
    await ChunkedArray.create(join(folder, 'source'), { ...source, ...world }, { fillValue: 7 });
    const pipeline = {
      name: 'soak',
      arrays: { source: { store: 'source' }, target: { store: 'target' } },
      tasks: { copy: { type: 'copy', source: 'source', target: 'target', blockSize: [16, 16, 16], fillValue: 0 } },
    };
    writeFileSync(join(folder, 'soak.json'), JSON.stringify(pipeline));
    const child = spawn(process.execPath, [program, 'run', 'soak.json', '--workers', '2', '--quiet'], {
      cwd: folder,
      env: { ...process.env, TMPDIR: folder, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes) => {
        text += bytes;
      });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until('the workers are there', () => processesOf(run).length >= 2);
    await delay((seconds * 1000) / 3);
    const processes = [child.pid!, ...processesOf(run)];
    const before = await least(processes);
    await delay((seconds * 2000) / 3);
    const after = await least(processes);
    child.kill('SIGINT');
    expect({ status: await ended, text }).toMatchObject({ status: 3 });
    const grown = after.map(({ mebibytes }, i) => `${before[i].mebibytes.toFixed(0)} to ${mebibytes.toFixed(0)}`);
    console.log(`fault 21: ${seconds} s; MiB of the run and its workers: ${grown.join(', ')}`);
    for (const [i, { mebibytes, files, threads }] of after.entries()) {
      expect(mebibytes - before[i].mebibytes).toBeLessThan(GROWTH);
      expect(files).toBeLessThanOrEqual(before[i].files + 2);
      // pools start their threads when they first have work for all of them
      expect(threads).toBeLessThanOrEqual(before[i].threads + 4);
    }
    await until('its workers have ended', () => processesOf(run).length === 0);
  },
  seconds * 1000 + 120_000,
);
