import { mkdirSync, readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { prepareTables, putFile } from '../../lib/evaluation/table-folder.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { temporaryFolder } from '../support/stores.js';

let temporary: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  temporary = temporaryFolder();
});
afterEach(() => temporary.remove());

const voxelSize = new Coordinate([8, 8, 8]);
const grid = { roi: new Roi([0, 0, 0], [32, 32, 32]), voxelSize, shape: [4, 4, 4], units: ['nm', 'nm', 'nm'] };
const blocks = { grid, blockShape: new Coordinate([16, 16, 16]) };

/** The files and folders that are synced meanwhile, relative to the temporary folder. */
async function syncedBy(work: () => Promise<void>): Promise<Set<string>> {
  const handle = await open(temporary.path, 'r');
  const { sync } = handle;
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const synced = new Set<string>();
  const spy = jest.spyOn(prototype, 'sync').mockImplementation(function (this: typeof handle) {
    synced.add(readlinkSync(`/proc/self/fd/${this.fd}`).slice(temporary.path.length + 1));
    return sync.call(this);
  });
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return synced;
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('every folder that is made is durable', async () => {
  mkdirSync(join(temporary.path, 'there'));
  const tables = await syncedBy(() => prepareTables(join(temporary.path, 'there/a/b/tables'), blocks, true));
  for (const folder of ['there', 'there/a', 'there/a/b', 'there/a/b/tables']) expect(tables).toContain(folder);
  const file = await syncedBy(() => putFile(join(temporary.path, 'there/c/d/scores.json'), Buffer.from('{}')));
  for (const folder of ['there', 'there/c', 'there/c/d']) expect(file).toContain(folder);
});
