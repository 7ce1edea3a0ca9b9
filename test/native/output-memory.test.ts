import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { connectedComponents } from '../../lib/native/connected-components.js';
import { newOutput } from '../../lib/native/output-memory.js';
import { relabel } from '../../lib/native/relabel.js';
import { threshold } from '../../lib/native/threshold.js';

const VOXELS = 1 << 20;

/** Collects what nobody holds. Its memory goes back to the pool when another thread has swept it, some turns later. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Memory of results full of a value, given back. */
async function leaveBehind(value: bigint): Promise<void> {
  const arrays = await Promise.all(Array.from({ length: 4 }, () => newOutput(BigUint64Array, VOXELS)));
  for (const array of arrays) array.fill(value);
}

test('memory that nobody holds is used again, memory that somebody holds never', async () => {
  const held: BigUint64Array[] = [];
  let used = 0;
  for (let turn = 1n; used === 0 || held.length < 4; turn++) {
    await leaveBehind(turn);
    await collect();
    const next = await newOutput(BigUint64Array, VOXELS);
    if (next[5] > 0n && next[5] <= turn) used++;
    next.fill(1000n + BigInt(held.length));
    // without end where none is ever used again: then the test is ended
    if (held.length < 4) held.push(next);
  }
  expect(held.map((array) => array.every((one) => one === array[0]) && array[0])).toEqual([1000n, 1001n, 1002n, 1003n]);
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

/** MB of data that a process holds more than before, once a result of 200 MB was collected, under a limit of its shell's. */
function keptUnder(limit: string): number {
  const lib = join(import.meta.dirname, '../../lib/native/output-memory.js');
  const program = `
    const { readFileSync } = await import('node:fs');
    const { newOutput } = await import(${JSON.stringify(lib)});
    const held = () => Number(/VmData:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
    const before = held();
    await (async () => (await newOutput(Uint8Array, 2e8)).fill(1))();
    for (let i = 0; i < 5; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    console.log(Math.round(held() - before));`;
  const script = `${limit}; exec "$0" --expose-gc --input-type=module -e "$1"`;
  return Number(execFileSync('/bin/sh', ['-c', script, process.execPath, program], { encoding: 'utf8' }));
}

const linux = existsSync('/proc/self/status') ? test : test.skip;

linux('where the memory of a process is limited none is kept: it would be missing', () => {
  expect(keptUnder('ulimit -d unlimited')).toBeGreaterThan(150);
  expect(keptUnder('ulimit -d 2000000')).toBeLessThan(50);
});
