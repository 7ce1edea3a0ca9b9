import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openTables, prepareTables, putFile, readTable, writeTable } from '../../lib/evaluation/table-folder.js';
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

test('every error has a code of ours, and the path', async () => {
  const [file, below, folder, long] = at('file', 'file/below/tables', 'folder', 'x'.repeat(300));
  writeFileSync(file, 'x');
  mkdirSync(join(folder, '0.table'), { recursive: true });
  const none = new BigUint64Array(0);
  const table = {
    a: none,
    b: none,
    counts: new Float64Array(0),
    places: new Float64Array(0),
    runs: new Uint32Array(0),
  };
  const cases: [() => Promise<unknown>, code: string, named: string][] = [
    [() => prepareTables(file, blocks, true), 'ERR_ARRAY_EXISTS', file],
    [() => prepareTables(below, blocks, true), 'ERR_ARRAY_EXISTS', below],
    [() => prepareTables(long, blocks, true), 'ERR_IO', long],
    [() => putFile(below, Buffer.from('{}')), 'ERR_ARRAY_EXISTS', below],
    [() => putFile(folder, Buffer.from('{}')), 'ERR_ARRAY_EXISTS', folder],
    [() => putFile(long, Buffer.from('{}')), 'ERR_IO', long],
    [() => writeTable(folder, 0, table), 'ERR_ARRAY_EXISTS', '0.table'],
    [() => writeTable(join(folder, 'gone'), 0, table), 'ERR_IO', 'gone'],
    [() => openTables(file), 'ERR_METADATA', file],
    [() => openTables(long), 'ERR_IO', long],
    [() => readTable(folder, 0), 'ERR_IO', '0.table'],
    [() => readTable(folder, 1), 'ERR_IO', '1.table'],
  ];
  for (const [work, code, named] of cases) {
    await expect(work()).rejects.toMatchObject({ code, message: expect.stringContaining(named) });
  }
});
