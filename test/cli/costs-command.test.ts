import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decode } from 'fast-png';
import { CostRecord } from '../../lib/coordinator/cost-record.js';
import { RunFolder } from '../../lib/coordinator/run-folder.js';
import { ToyPipeline } from '../support/toy-pipeline.js';

const toy = new ToyPipeline();
const run = join(toy.folder, 'pictured.run');
const png = join(toy.folder, 'costs.png');
beforeAll(() => {
  mkdirSync(run);
  const world = { offset: [0, 0, 0], voxel_size: [1, 1, 1] };
  const costs = new CostRecord(new RunFolder(run).costs('a'), [2, 2, 3], { task: 'a', planHash: 'x', world });
  // of the first plane one block, of the second all but the last
  costs.add(1, { seconds: 8, cost: undefined });
  for (let block = 6; block < 11; block++) costs.add(block, { seconds: block - 6, cost: undefined });
  costs.flush();
});
afterAll(() => toy.remove());

/** The colour in the middle of a block's square. */
function colours(rows: number, columns: number): string[] {
  const { data, width, height } = decode(readFileSync(png));
  const size = width / columns;
  expect([size, height / rows]).toEqual([170, 170]);
  return Array.from({ length: rows * columns }, (_, block) => {
    const y = Math.floor(block / columns) * size + size / 2;
    const at = 3 * (y * width + (block % columns) * size + size / 2);
    return [...data.slice(at, at + 3)].join(' ');
  });
}

const [black, yellow, grey] = ['0 0 4', '252 255 164', '128 128 128'];

test('a slice of costs is a picture, a square a block, with what its colours mean', async () => {
  const { status, out } = await toy.inProcess('costs', run, '--task', 'a', '--png', png);
  expect([status, out]).toEqual([
    0,
    `FOLDER/costs.png: wallSeconds of a, blocks [1, :, :]; black 0, pale yellow 4.0 s; grey: not known (1 of 6)\n`,
  ]);
  const found = colours(2, 3);
  expect([found[0], found[4], found[5]]).toEqual([black, yellow, grey]);
  expect(new Set(found).size).toBe(6);

  await toy.inProcess('costs', run, '--task', 'a', '--slice', '0', '--what', 'attempts', '--png', png);
  expect(colours(2, 3)).toEqual([grey, yellow, grey, grey, grey, grey]);
});

test('what there is no picture of is said', async () => {
  const refusal = async (...more: string[]) => {
    const { status, error } = await toy.inProcess('costs', run, '--png', png, ...more);
    return `${status} ${error}`;
  };
  expect(await refusal('--task', 'b')).toContain(
    '2 blockwright: ERR_CONFIG: task b: wallSeconds is not known of any block',
  );
  expect(await refusal('--task', 'a', '--slice', '2')).toContain('--slice: expected 0 to 1, found 2');
  expect(await refusal('--task', 'a', '--what', 'nothing')).toContain('--what: expected one of "wallSeconds", ');
});
