import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as zarr from 'zarrita';
import { DoneRecord, readRecordedBlocks, readRecordedStates } from '../../lib/coordinator/done-record.js';
import { DoneRecordLayout } from '../../lib/coordinator/done-record-layout.js';
import { codeOf, messageOf } from '../../lib/errors.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'record-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const identity = { type: 'toy', options: { bias: [1, -0.5], name: 'x' }, geometry: [3, 4, 5] };
const path = () => join(folder, 'done');
const openRecord = (
  shape: readonly number[],
  whose = { task: 'toy', identity: identity as unknown },
  onRead?: (blocks: number) => void,
) => DoneRecord.open(path(), shape, whose, onRead);

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('the layout of a done record', () => {
  test('gives each block one byte of one chunk, in the place where a zarr reader looks for it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        (shape, most) => {
          const layout = new DoneRecordLayout(shape, most);
          expect(layout.chunkBytes).toBe(layout.chunkShape.reduce((a, b) => a * b, 1));
          expect(layout.chunkBytes).toBeLessThanOrEqual(Math.max(most, 1));
          const count = shape.reduce((a, b) => a * b, 1);
          let covered = 0;
          for (let chunk = 0; chunk < layout.chunks; chunk++) covered += layout.blocksOf(chunk).count;
          expect(covered).toBe(count);
          for (let block = 0; block < count; block++) {
            // the slow way: by grid position
            const position: number[] = [];
            let rest = block;
            for (const size of [...shape].reverse()) {
              position.unshift(rest % size);
              rest = Math.floor(rest / size);
            }
            const key = ['c', ...position.map((at, axis) => Math.floor(at / layout.chunkShape[axis]))].join('/');
            const offset = position.reduce(
              (sum, at, axis) => sum * layout.chunkShape[axis] + (at % layout.chunkShape[axis]),
              0,
            );
            const place = layout.placeOf(block);
            expect([layout.keyOf(place.chunk), place.offset]).toEqual([key, offset]);
            expect(layout.blocksOf(place.chunk).first + place.offset).toBe(block);
          }
        },
      ),
      { seed: 5, numRuns: 100 },
    );
  });

  test('keeps chunks small in huge grids', () => {
    const layout = new DoneRecordLayout([1000, 1000, 1000]);
    expect(layout.chunkShape).toEqual([1, 1000, 1000]);
    expect(new DoneRecordLayout([5_000_000]).chunkShape).toEqual([2 ** 20]);
    expect(new DoneRecordLayout([7, 3000, 1000]).chunkShape).toEqual([1, 1048, 1000]);
    expect(new DoneRecordLayout([4, 5, 6]).chunkShape).toEqual([4, 5, 6]);
  });
});

describe('a done record', () => {
  test('removes what one left that was killed before it had a description', () => {
    mkdirSync(path());
    writeFileSync(join(path(), 'write.4711.0123abcd.tmp'), '{');
    openRecord([3, 4, 5]).close();
    expect(readdirSync(path())).toEqual(['zarr.json']);
  });

  test('keeps marks over reopening, and takes failures back', async () => {
    const record = openRecord([3, 4, 5]);
    expect(record.resumed).toBe(false);
    expect(record.read()).toBeUndefined();
    record.mark([0, 1, 2, 59, 7], 1);
    record.mark([8], 2);
    record.mark([20, 21], 3);
    record.mark([30], 4);
    await record.flush();
    record.close();

    const read: number[] = [];
    const again = openRecord([3, 4, 5], undefined, (blocks) => read.push(blocks));
    expect(again.resumed).toBe(true);
    const expected = new Uint8Array(60);
    for (const block of [0, 1, 2, 7, 59]) expected[block] = 1;
    expected[8] = 2;
    expect(await again.reset()).toEqual(expected);
    expect(read).toEqual([60]);
    expect(again.read()).toEqual(expected);
    again.close();
    expect(Buffer.concat([...readRecordedStates(path())])).toEqual(Buffer.from(expected));
    expect(readdirSync(path()).sort()).toEqual(['c', 'zarr.json']);
  });

  test('is a zarr array for others', async () => {
    const shape = [3, 1500, 1000];
    const record = openRecord(shape);
    const marked = [0, 999, 1_499_999, 1_500_000, 1_048_000, 1_047_999, 4_499_999];
    record.mark(marked, 1);
    record.mark([5], 4);
    await record.flush();
    record.close();
    const store = { get: async (key: string) => readIfThere(join(path(), key)) };
    const array = await zarr.open(store as zarr.Readable, { kind: 'array' });
    expect(array.shape).toEqual(shape);
    const { data } = await zarr.get(array);
    const bytes = data as Uint8Array;
    const found = [...bytes.keys()].filter((block) => bytes[block] !== 0);
    expect(found).toEqual([...marked, 5].sort((a, b) => a - b));
    expect([bytes[5], bytes[999]]).toEqual([4, 1]);
    expect(array.attrs).toMatchObject({ blockwright: { task: 'toy', identity } });
  });

  test('is read chunk by chunk, and others have their turn meanwhile', async () => {
    const shape = [3, 1500, 1000];
    const record = openRecord(shape);
    record.mark([0, 1_499_999], 1);
    record.mark([4_400_000], 3);
    await record.flush();
    record.close();
    const read: number[] = [];
    const again = openRecord(shape, undefined, (blocks) => read.push(blocks));
    let turns = 0;
    let reading = true;
    const count = () => {
      turns++;
      if (reading) setImmediate(count);
    };
    setImmediate(count);
    const states = await again.reset();
    reading = false;
    again.close();
    // only chunks that are there are read
    expect(read).toEqual([1_048_000, 1_500_000, 4_500_000]);
    expect(turns).toBeGreaterThanOrEqual(read.length);
    expect([states!.length, states![0], states![1_499_999], states![4_400_000]]).toEqual([4_500_000, 1, 1, 0]);
    expect(readRecordedBlocks(path(), 4_500_000)).toEqual(states);
  });

  test('of another plan is refused, and what differs is named', () => {
    const record = openRecord([3, 4, 5]);
    record.mark([7], 1);
    record.close();
    const changed = { ...identity, options: { bias: [1, -0.4], extra: true } };
    const error = thrownBy(() => openRecord([3, 4, 5], { task: 'toy', identity: changed }));
    expect(codeOf(error)).toBe('ERR_PLAN_CHANGED');
    expect(messageOf(error)).toContain('options.bias[1]: was -0.5, is -0.4');
    expect(messageOf(error)).toContain('options.extra: was absent, is true');
    expect(messageOf(error)).toContain('options.name: was "x", is absent');
    expect(messageOf(error)).not.toContain('geometry');
    expect(codeOf(thrownBy(() => openRecord([3, 4, 5], { task: 'other', identity })))).toBe('ERR_PLAN_CHANGED');
    // the order of keys means nothing
    const { type, options, geometry } = identity;
    openRecord([3, 4, 5], { task: 'toy', identity: { geometry, options, type } }).close();
  });

  test('of a plan that differs in many places: the message names the first', () => {
    const many = (value: number) =>
      Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${String(i).padStart(2, '0')}`, value]));
    const record = openRecord([3], { task: 'toy', identity: { ...many(1), text: 'x'.repeat(5000) } });
    record.mark([1], 1);
    record.close();
    const error = thrownBy(() => openRecord([3], { task: 'toy', identity: { ...many(2), text: 'y'.repeat(5000) } }));
    const lines = messageOf(error).split('\n').slice(1);
    expect([lines[0], lines[7], lines[8]]).toEqual([
      '  k00: was 1, is 2',
      '  k07: was 1, is 2',
      '  and 23 more differences',
    ]);
    expect((error as { details: { differences: unknown[] } }).details.differences).toHaveLength(31);
    const long = thrownBy(() => openRecord([3], { task: 'toy', identity: { ...many(1), text: '' } }));
    expect(messageOf(long)).toContain(`  text: was "${'x'.repeat(199)}..., is ""`);
  });

  test('of another plan in which nothing is done is replaced', () => {
    const record = openRecord([3, 4, 5]);
    record.mark([0, 1, 2], 3);
    record.mark([30], 4);
    record.close();
    const other = { task: 'toy', identity: { ...identity, geometry: [2, 2] } };
    const replaced = openRecord([2, 2], other);
    expect(replaced.resumed).toBe(false);
    expect(replaced.read()).toBeUndefined();
    replaced.mark([3], 2);
    replaced.close();
    expect(codeOf(thrownBy(() => openRecord([3, 4, 5])))).toBe('ERR_PLAN_CHANGED');
    const again = openRecord([2, 2], other);
    expect([...again.read()!]).toEqual([0, 0, 0, 2]);
    again.close();
  });

  test('that is damaged is an error, never done', async () => {
    const record = openRecord([3, 4, 5]);
    record.mark([1], 1);
    await record.flush();
    record.close();
    const chunk = join(path(), 'c/0/0/0');
    const whole = readFileSync(chunk);
    const reading = () => codeOf(thrownBy(() => openRecord([3, 4, 5]).read()));

    truncateSync(chunk, 59);
    expect(reading()).toBe('ERR_CHUNK_CORRUPT');
    truncateSync(chunk, 0);
    expect(reading()).toBe('ERR_CHUNK_CORRUPT');
    writeFileSync(chunk, Buffer.concat([whole, Buffer.of(0)]));
    expect(reading()).toBe('ERR_CHUNK_CORRUPT');
    whole[17] = 6;
    writeFileSync(chunk, whole);
    expect(messageOf(thrownBy(() => openRecord([3, 4, 5]).read()))).toMatch(/c\/0\/0\/0: .*found 6 at 17/);

    const description = join(path(), 'zarr.json');
    const text = readFileSync(description, 'utf8');
    for (const damaged of [text.slice(0, 100), '', text.replace('"uint8"', '"uint16"'), text.replace('-0.5', '-0.6')]) {
      writeFileSync(description, damaged);
      expect(reading()).toBe('ERR_METADATA');
    }
    rmSync(description);
    expect(reading()).toBe('ERR_METADATA');
    writeFileSync(description, text);
    expect(codeOf(thrownBy(() => openRecord([3, 4, 6])))).toBe('ERR_METADATA');
  });

  test('opens more chunks than it keeps open', async () => {
    const record = openRecord([200, 1000, 1000]);
    for (let block = 0; block < 200; block++) {
      record.mark([block * 1_000_000 + block], 1);
      if (block % 50 === 49) await record.flush();
    }
    const open = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
    // without a flush in between
    record.mark(
      Array.from({ length: 100 }, (_, i) => (i + 1) * 1_000_000),
      0,
    );
    if (process.platform === 'linux') expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(open + 4);
    await record.flush();
    record.close();
    let done = 0;
    for (const states of readRecordedStates(path())) done += states.reduce((sum, state) => sum + state, 0);
    expect(done).toBe(200);
  });
});

function readIfThere(file: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(file));
  } catch {
    return undefined;
  }
}
