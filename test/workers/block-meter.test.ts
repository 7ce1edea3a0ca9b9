import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, test } from '@jest/globals';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { BlockMeter } from '../../lib/workers/block-meter.js';
import { MeasuredVolume } from '../../lib/workers/measured-volume.js';
import { MemoryPeak } from '../../lib/workers/memory-peak.js';
import { temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);

const nothing = () => 0;

/** Work that ends when the test says so. */
function work() {
  let end: (value: number) => void = nothing;
  const promise = new Promise<number>((resolve) => {
    end = resolve;
  });
  return { promise, end };
}

test('what is read and written at once counts once, as read', async () => {
  const meter = new BlockMeter(false);
  const began = performance.now();
  const [one, two, three] = [work(), work(), work()];
  const all = [
    meter.during(
      'read',
      () => one.promise,
      (bytes) => bytes,
    ),
    meter.during(
      'read',
      () => two.promise,
      (bytes) => bytes,
    ),
    meter.during(
      'write',
      () => three.promise,
      (bytes) => bytes,
    ),
  ];
  await delay(30);
  one.end(10);
  await all[0];
  await delay(30);
  two.end(20);
  await all[1];
  const reading = (performance.now() - began) / 1000;
  await delay(30);
  three.end(40);
  await all[2];
  const total = (performance.now() - began) / 1000;
  const cost = meter.end()!;
  expect(cost).toMatchObject({ bytesRead: 30, bytesWritten: 40 });
  // timers are exact to a millisecond
  expect(cost.read).toBeGreaterThan(0.056);
  expect(cost.read).toBeLessThanOrEqual(reading);
  expect(cost.write).toBeGreaterThan(0.028);
  expect(cost.read! + cost.write!).toBeLessThanOrEqual(total + 2e-6);
});

test('work that fails counts its time, and its error goes on', async () => {
  const meter = new BlockMeter(false);
  const failing = meter.during('write', () => delay(20).then(() => Promise.reject(new Error('full'))), nothing);
  await expect(failing).rejects.toThrow('full');
  const cost = meter.end()!;
  expect(cost.write).toBeGreaterThan(0.018);
  expect(cost.bytesWritten).toBeUndefined();
});

test('streams: items are counted, and one that is left early is told so', async () => {
  let left = false;
  async function* source() {
    try {
      for (const item of [1, 2, 3]) yield item;
    } finally {
      left = true;
    }
  }
  const meter = new BlockMeter(false);
  const seen: number[] = [];
  for await (const item of meter.items('read', source(), (bytes) => bytes)) {
    seen.push(item);
    if (item === 2) break;
  }
  expect([seen, left]).toEqual([[1, 2], true]);
  expect(meter.end()).toMatchObject({ bytesRead: 3 });
});

test('a block that did nothing has no cost; what a task says of GPUs is told if it is seconds', () => {
  expect(new BlockMeter(false).end()).toBeUndefined();
  for (const [said, told] of [
    [1.5, 1.5],
    [0, 0],
    [-1, undefined],
    [Number.NaN, undefined],
  ] as const) {
    const meter = new BlockMeter(false);
    meter.gpuSeconds = said;
    expect([said, meter.end()?.gpu]).toEqual([said, told]);
  }
});

test('CPU time and peak memory are those of the block', () => {
  const meter = new BlockMeter();
  let memory: Buffer | undefined = Buffer.alloc(300e6, 1);
  for (const began = process.cpuUsage().user; process.cpuUsage().user - began < 50_000; ) memory[0]++;
  const { cpu, memory: peak } = meter.end()!;
  expect(cpu).toBeGreaterThanOrEqual(0.05);
  expect(peak).toBeGreaterThan(300e6);
  expect(peak).toBeLessThan(3e9);
  memory = undefined;
});

test('the peak begins anew with each block', () => {
  const peak = new MemoryPeak();
  let bytes: Uint8Array | undefined = new Uint8Array(400e6).fill(1);
  const high = peak.end()!;
  expect(high).toBeGreaterThan(bytes.byteLength);
  bytes = undefined;
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  expect(new MemoryPeak().end()).toBeLessThan(high - 300e6);
});

test('a volume counts the bytes of voxels inside it', async () => {
  const array = await ChunkedArray.create(`${folder.path}/a`, {
    ...{ shape: [2, 10, 10], chunkShape: [2, 5, 5], dataType: 'uint16' as const, channelAxes: 1 },
    ...{ offset: new Coordinate([0, 0]), voxelSize: new Coordinate([4, 4]) },
    ...{ units: ['nm', 'nm'], axisNames: ['c^', 'y', 'x'], attributes: {} },
  });
  const meter = new BlockMeter(false);
  const volume = new MeasuredVolume(array, meter);
  await volume.writeRoi(new Roi([-8, 0], [16, 40]), new Uint16Array(2 * 4 * 10).fill(7), { durable: false });
  await volume.writeRegion([0, 5, 5], [1, 6, 6], new Uint16Array([3]), { durable: false });
  const { data } = await volume.readRoi(new Roi([-8, 0], [16, 40]));
  expect([...data.slice(20, 40)]).toEqual(new Array(20).fill(7));
  expect(await volume.readRegion([0, 5, 5], [1, 6, 6])).toEqual(new Uint16Array([3]));
  await volume.readRoi(new Roi([400, 400], [4, 4]));
  expect(meter.end()).toMatchObject({ bytesRead: 2 * 2 * 10 * 2 + 2, bytesWritten: 2 * 2 * 10 * 2 + 2 });
  expect([volume.shape, volume.roi, volume.path]).toEqual([array.shape, array.roi, array.path]);
});
