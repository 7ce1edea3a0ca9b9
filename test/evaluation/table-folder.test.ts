import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { prepareTables, putFile } from '../../lib/evaluation/table-folder.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { Roi } from '../../lib/geometry/roi.js';
import { temporaryFolder } from '../support/stores.js';
import { syncedBy } from '../support/synced-paths.js';

let temporary: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  temporary = temporaryFolder();
});
afterEach(() => temporary.remove());

const voxelSize = new Coordinate([8, 8, 8]);
const grid = { roi: new Roi([0, 0, 0], [32, 32, 32]), voxelSize, shape: [4, 4, 4], units: ['nm', 'nm', 'nm'] };
const blocks = { grid, blockShape: new Coordinate([16, 16, 16]) };

const at = (...names: string[]) => names.map((name) => join(temporary.path, name));

const onLinux = process.platform === 'linux' ? test : test.skip;
onLinux('every folder that is made is durable', async () => {
  mkdirSync(join(temporary.path, 'there'));
  const [tables, scores] = at('there/a/b/tables', 'there/c/d/scores.json');
  const made = await syncedBy(() => prepareTables(tables, blocks, true));
  expect([...made]).toEqual(expect.arrayContaining(at('there', 'there/a', 'there/a/b', 'there/a/b/tables')));
  const written = await syncedBy(() => putFile(scores, Buffer.from('{}')));
  expect([...written]).toEqual(expect.arrayContaining(at('there', 'there/c', 'there/c/d')));
});
