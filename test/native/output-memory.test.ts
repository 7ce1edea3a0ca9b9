import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { connectedComponents } from '../../lib/native/connected-components.js';
import { newOutput } from '../../lib/native/output-memory.js';
import { relabel } from '../../lib/native/relabel.js';
import { threshold } from '../../lib/native/threshold.js';

const VOXELS = 1 << 20;

/** Collects what nobody holds; its memory goes back to the pool in turns of the event loop. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
}

/** Memory of results full of a value, given back. */
async function leaveBehind(value: bigint): Promise<void> {
  const arrays = await Promise.all(Array.from({ length: 4 }, () => newOutput(BigUint64Array, VOXELS)));
  for (const array of arrays) array.fill(value);
}

test('memory that nobody holds is used again, memory that somebody holds never', async () => {
  const held: BigUint64Array[] = [];
  let used = 0;
  for (let turn = 1n; turn < 5n; turn++) {
    await leaveBehind(turn);
    await collect();
    const next = await newOutput(BigUint64Array, VOXELS);
    if (next[5] === turn) used++;
    next.fill(100n + turn);
    held.push(next);
  }
  expect(used).toBeGreaterThan(0);
  expect(held.map((array) => array.every((one) => one === array[0]) && array[0])).toEqual([101n, 102n, 103n, 104n]);
});

test('nothing of what was in it before is in a result', async () => {
  const labels = new BigUint64Array(VOXELS); // background, but for one voxel
  labels[77] = 9n;
  const mask = new Uint8Array(VOXELS);
  const column = BigUint64Array.of(9n);
  for (let turn = 0; turn < 2; turn++) {
    await leaveBehind(0xffffffffffffffffn);
    await collect();
    const sum = (values: BigUint64Array) => values.reduce((total, one) => total + one, 0n);
    expect(sum(await relabel(labels, { fragments: column, segments: column }))).toBe(9n);
    const components = await connectedComponents(labels, [VOXELS / 64, 64]);
    expect([components.count, components.labels[77], sum(components.labels)]).toEqual([1, 1n, 1n]);
    expect((await threshold(mask, 0)).every((one) => one === 0)).toBe(true);
  }
});

test('small results, and those of no length, are ordinary arrays', async () => {
  const small = await newOutput(Uint8Array, 1000);
  expect(small.every((one) => one === 0)).toBe(true);
  expect(await newOutput(BigUint64Array, 0)).toHaveLength(0);
});
