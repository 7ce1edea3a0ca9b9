import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { CostRecord } from '../../lib/coordinator/cost-record.js';
import { DoneRecord } from '../../lib/coordinator/done-record.js';
import { RecordedState, recordIdentity } from '../../lib/coordinator/done-record-metadata.js';
import { temporaryFolder } from '../support/stores.js';
import { toyPlan } from '../support/toy-run.js';
import { readStores, whyNoReaders } from './environment.js';

const folder = temporaryFolder();
afterAll(folder.remove);

const reason = whyNoReaders();
const suite = reason === undefined ? describe : describe.skip;

interface Found {
  readonly shape: number[];
  readonly dtype: string;
  readonly sha256: string;
  readonly offset?: number[];
  readonly voxelSize?: number[];
}

const sha256 = (data: Float32Array | Uint8Array) =>
  createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex');

suite(`what a run knows of its blocks${reason === undefined ? '' : ` (${reason})`}`, () => {
  test('is opened by zarr-python, tensorstore and funlib.persistence, and lies over the volume', async () => {
    const plan = toyPlan([3, 4]);
    const world = { offset: [0, 0], voxel_size: [10, 10] };
    const costs = new CostRecord(join(folder.path, 'costs'), [3, 4], { task: 't', planHash: 'a', world });
    costs.add(5, { seconds: 1.5, cost: { memory: 123456789, read: 0.25 } });
    costs.add(5, { seconds: 2.5, cost: { memory: 223456789, read: 0.5 } });
    costs.flush();
    const record = DoneRecord.open(join(folder.path, 'done'), [3, 4], recordIdentity('t', {}, plan));
    record.mark([5], RecordedState.done);
    await record.flush();
    record.close();

    const floats = (value: number) => sha256(new Float32Array(12).fill(Number.NaN).fill(value, 5, 6));
    const bytes = (value: number) => sha256(new Uint8Array(12).fill(value, 5, 6));
    const expected: Record<string, Found> = {
      'costs/wallSeconds': { shape: [3, 4], dtype: 'float32', sha256: floats(2.5) },
      'costs/readSeconds': { shape: [3, 4], dtype: 'float32', sha256: floats(0.5) },
      'costs/peakMemory': { shape: [3, 4], dtype: 'float32', sha256: floats(223456789) },
      'costs/attempts': { shape: [3, 4], dtype: 'uint8', sha256: bytes(2) },
      done: { shape: [3, 4], dtype: 'uint8', sha256: bytes(1) },
    };
    const cases = Object.keys(expected).map((name) => ({ name, path: join(folder.path, name), zarrFormat: 3 }));
    for (const reader of ['zarr', 'tensorstore'] as const) {
      expect([reader, readStores<Found>('zarr3', reader, cases)]).toMatchObject([reader, expected]);
    }
    const placed = Object.fromEntries(
      Object.entries(expected).map(([name, found]) => [name, { ...found, offset: [0, 0], voxelSize: [10, 10] }]),
    );
    expect(readStores<Found>('zarr3', 'funlib', cases)).toMatchObject(placed);
  });
});
