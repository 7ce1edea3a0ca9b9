import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { connectedComponents } from '../../lib/native/connected-components.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { cropOfLabels } from '../support/fib25.js';
import { firstDifference, widened } from '../support/labels.js';
import { processesOf, until } from '../support/processes.js';
import { filesBelow } from '../support/stores.js';
import { blocksDone, startRun } from './disturbed-run.js';

const EXTENT = 48;
const BLOCK = 8;
/** Milliseconds; a busy machine may need them. */
const PATIENCE = 300_000;
const { labels, shape } = cropOfLabels({ begin: [0, 60, 60], end: [96, 156, 156], step: [2, 2, 2] });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blockwright-components-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A pipeline from labels to components, in a folder of its own. */
async function makeJob(name: string) {
  const own = join(folder, name);
  mkdirSync(own);
  const array = await ChunkedArray.create(join(own, 'labels.zarr'), {
    shape,
    chunkShape: [16, 16, 16],
    dataType: 'uint8',
    channelAxes: 0,
    offset: Coordinate.filled(3, 0),
    voxelSize: Coordinate.filled(3, 8),
    units: ['nm', 'nm', 'nm'],
    axisNames: ['z', 'y', 'x'],
    attributes: {},
  });
  await array.writeRegion([0, 0, 0], shape, labels, { durable: false });
  const blockSize = [BLOCK, BLOCK, BLOCK];
  const file = join(own, 'components.yaml');
  writeFileSync(
    file,
    stringify({
      name: 'components',
      runDirectory: 'components.run',
      arrays: {
        labels: { store: 'labels.zarr' },
        fragments: { store: 'out/fragments' },
        components: { store: 'out/components' },
      },
      graphs: { graph: { type: 'sqlite', path: 'graph.sqlite' } },
      tasks: {
        blocks: { type: 'connected-components', input: 'labels', fragments: 'fragments', graph: 'graph', blockSize },
        lut: { type: 'components-lut', graph: 'graph', lut: 'out/components.lut' },
        components: {
          type: 'relabel',
          fragments: 'fragments',
          segments: 'components',
          lut: 'out/components.lut',
          blockSize,
        },
      },
    }),
  );
  return { folder: own, file, runDirectory: join(own, 'components.run') };
}

const results = (job: { readonly folder: string }) =>
  [...filesBelow(join(job.folder, 'out'))].map(([path, content]) => `${path} ${content.toString('base64')}`);

test(
  'workers that are killed change no byte of the components, the LUT or the result',
  async () => {
    const calm = await makeJob('calm');
    const undisturbed = startRun(calm, 1);
    expect(await undisturbed.ended).toBe(0);
    const expected = await connectedComponents(widened(labels), shape);
    const found = await (await ChunkedArray.open(join(calm.folder, 'out/components'))).readRegion([0, 0, 0], shape);
    expect(firstDifference(found, expected.labels)).toBe(-1);

    const job = await makeJob('killed');
    const run = startRun(job, 3);
    const blocks = (EXTENT / BLOCK) ** 3;
    for (const done of [1, blocks / 4, blocks / 2]) {
      await until(`${done} blocks are done`, () => blocksDone(job.runDirectory) >= done);
      await until('there is a worker', () => processesOf(job.runDirectory).length > 0);
      process.kill(processesOf(job.runDirectory)[0], 'SIGKILL');
    }
    expect(await run.ended).toBe(0);
    expect(run.text()).not.toBe('');
    expect(results(job)).toEqual(results(calm));
  },
  PATIENCE,
);
