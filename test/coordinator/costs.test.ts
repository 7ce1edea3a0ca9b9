import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as zarr from 'zarrita';
import { CostArray } from '../../lib/coordinator/cost-array.js';
import { CostRecord } from '../../lib/coordinator/cost-record.js';
import { DurationSketch } from '../../lib/coordinator/duration-sketch.js';
import { parseWorkerMessage } from '../../lib/coordinator/messages.js';
import { TaskTally } from '../../lib/coordinator/task-tally.js';
import { codeOf } from '../../lib/errors.js';
import { seededRandom } from '../support/seeded-random.js';
import { toyPlan } from '../support/toy-run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-costs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const owner = (planHash = 'a') => ({ task: 't', planHash, world: { offset: [5, 6, 7], voxel_size: [10, 10, 20] } });

/** What another zarr reader finds. */
async function zarrita(path: string): Promise<{ data: ArrayLike<number>; attributes: Record<string, unknown> }> {
  const get = async (key: string) => {
    const file = join(path, key);
    return existsSync(file) ? new Uint8Array(readFileSync(file)) : undefined;
  };
  const array = await zarr.open.v3({ get } as zarr.Readable, { kind: 'array' });
  const { data } = await zarr.get(array);
  return { data: data as ArrayLike<number>, attributes: array.attrs };
}

describe('a cost array', () => {
  test('holds what was set, for other readers too, over several writers one after the other', async () => {
    const shape = [3, 70, 1000]; // more than a chunk a plane
    const path = join(folder, 'wallSeconds');
    const expected = new Float32Array(3 * 70 * 1000).fill(Number.NaN);
    const random = seededRandom(3);
    for (let writer = 0; writer < 3; writer++) {
      const array = new CostArray(path, 'wallSeconds', shape, owner());
      for (let i = 0; i < 500; i++) {
        const block = Math.floor(random() * expected.length);
        expected[block] = random();
        array.set(block, expected[block]);
        if (i % 100 === 50) array.flush();
      }
      array.flush();
    }
    const found = await zarrita(path);
    expect(found.data).toEqual(expected);
    expect(found.attributes).toMatchObject({ ...owner().world, blockwright: { cost: 'wallSeconds', unit: 's' } });
    expect(readdirSync(path).sort()).toEqual(['c', 'zarr.json']);
  });

  test('is not made before there is a value, and made anew for another plan', async () => {
    const path = join(folder, 'attempts');
    new CostArray(path, 'attempts', [4], owner()).flush();
    expect(existsSync(path)).toBe(false);
    const array = new CostArray(path, 'attempts', [4], owner());
    array.set(1, 3);
    array.flush();
    expect((await zarrita(path)).data).toEqual(new Uint8Array([0, 3, 0, 0]));
    expect(new CostArray(path, 'attempts', [4], owner()).get(1)).toBe(3);
    expect(new CostArray(path, 'attempts', [4], owner('b')).get(1)).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test('that a crash cut, or left a temporary file beside, goes on', async () => {
    const path = join(folder, 'attempts');
    const array = new CostArray(path, 'attempts', [4], owner());
    array.set(1, 3);
    array.flush();
    truncateSync(join(path, 'c', '0'), 2);
    writeFileSync(join(path, 'write.12.0123abcd.tmp'), 'x');
    const next = new CostArray(path, 'attempts', [4], owner());
    next.set(2, 1);
    next.flush();
    expect((await zarrita(path)).data).toEqual(new Uint8Array([0, 0, 1, 0]));
    expect(readdirSync(path).sort()).toEqual(['c', 'zarr.json']);
  });
});

test('a cost record has the last attempt, counts all, and keeps nothing of an earlier one that the last does not know', () => {
  const record = new CostRecord(folder, [2, 2], owner());
  record.add(1, { seconds: 2, cost: { cpu: 1.5, read: 0.25, memory: 1e8, bytesRead: 4096 } });
  record.add(1);
  record.add(1, { seconds: 0.5, cost: { write: 0.125 } });
  record.add(2, { seconds: 1, cost: undefined });
  for (let i = 0; i < 300; i++) record.add(3);
  record.flush();
  const cells = (name: string) => {
    const bytes = readFileSync(join(folder, name, 'c', '0', '0'));
    return name === 'attempts' ? [...bytes] : [...new Float32Array(new Uint8Array(bytes).buffer)];
  };
  const none = Number.NaN;
  expect(cells('attempts')).toEqual([0, 3, 1, 255]);
  expect(cells('wallSeconds')).toEqual([none, 0.5, 1, none]);
  expect(cells('cpuSeconds')).toEqual([none, none, none, none]);
  expect(cells('peakMemory')).toEqual([none, none, none, none]);
  expect(cells('readSeconds')).toEqual([none, 0, none, none]);
  expect(cells('writeSeconds')).toEqual([none, 0.125, none, none]);
  expect(cells('bytesRead')).toEqual([none, 0, none, none]);
  expect(existsSync(join(folder, 'gpuSeconds'))).toBe(false);
});

test('quantiles of durations are right to one percent, and sketches add up', () => {
  const random = seededRandom(5);
  const [one, other] = [new DurationSketch(), new DurationSketch()];
  const all = Array.from({ length: 5000 }, (_, i) => {
    const seconds = 1e-5 * 10 ** (7 * random());
    (i % 3 === 0 ? one : other).add(seconds);
    return seconds;
  }).sort((a, b) => a - b);
  const merged = new DurationSketch(one.toJSON());
  merged.merge(other);
  for (const part of [0.01, 0.5, 0.9, 0.99, 1]) {
    const exact = all[Math.ceil(part * all.length) - 1];
    expect(Math.abs(merged.quantile(part) / exact - 1)).toBeLessThan(0.0101);
  }
  expect(merged.toJSON().length).toBeLessThan(1000);
  expect(new DurationSketch().quantile(0.5)).toBe(0);
});

test('a tally adds up attempts, names the slowest blocks once, and merges', () => {
  const plan = toyPlan([4, 4]);
  const tally = new TaskTally('t', 'a');
  const add = (block: number, seconds: number, outcome: 'done' | 'failed' = 'done') =>
    tally.add({ block, attempt: 1, worker: 'w', outcome, seconds, cost: undefined }, plan);
  for (let block = 0; block < 8; block++) add(block, block + 1);
  add(3, 100, 'failed');
  add(6, 20);
  const cost = { read: 1, write: 2, cpu: 3, memory: 7e7, bytesRead: 10, bytesWritten: 20, gpu: 0.5 };
  tally.add({ block: 9, attempt: 2, worker: 'w', outcome: 'done', seconds: 4, cost }, plan);
  tally.lost();
  const found = tally.statistics();
  expect(found).toMatchObject({
    ...{ done: 10, skipped: 0, failed: 1, lost: 1, attempts: 12, maxSeconds: 20, busySeconds: 160 },
    ...{ readSeconds: 1, writeSeconds: 2, computeSeconds: 157, cpuSeconds: 3, cpuAttempts: 1, peakMemory: 7e7 },
    ...{ bytesRead: 10, bytesWritten: 20, gpuSeconds: 0.5 },
  });
  expect(found.slowest.map(({ block, seconds }) => [block, seconds])).toEqual([
    [6, 20],
    [7, 8],
    [5, 6],
    [4, 5],
    [3, 4],
  ]);
  expect(found.slowest[0].roi).toEqual({ offset: [10, 20], shape: [10, 10] });

  const both = new TaskTally('t', 'a', JSON.parse(JSON.stringify(tally)));
  both.merge(tally);
  expect(both.statistics()).toMatchObject({
    done: 20,
    attempts: 24,
    maxSeconds: 20,
    busySeconds: 320,
    peakMemory: 7e7,
  });
  expect(both.statistics().slowest).toEqual(found.slowest);
  expect(both.statistics().p50).toBe(found.p50);
});

test('a cost that no worker measures is refused', () => {
  const work = (cost: unknown) => () =>
    parseWorkerMessage({
      type: 'work',
      results: [{ lease: 1, outcome: 'done', seconds: 1, cost }],
      acquire: false,
    });
  expect(work({ cpu: 1, memory: 5, gpu: 0 })()).toMatchObject({ results: [{ cost: { cpu: 1, memory: 5, gpu: 0 } }] });
  for (const cost of [
    { cpu: -1 },
    { cpu: Number.POSITIVE_INFINITY },
    { memory: 1.5 },
    { read: 'x' },
    { other: 1 },
    3,
  ]) {
    let code: string | undefined;
    try {
      work(cost)();
    } catch (error) {
      code = codeOf(error);
    }
    expect([cost, code]).toEqual([cost, 'ERR_PROTOCOL']);
  }
});
