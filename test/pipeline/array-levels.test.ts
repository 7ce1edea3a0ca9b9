import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../lib/errors.js';
import { loadPipeline } from '../../lib/pipeline/file.js';
import { type PipelineInput, pipeline } from '../../lib/pipeline/pipeline.js';
import { planPipeline } from '../../lib/pipeline/plan.js';
import type { Level } from '../../lib/storage/image-level.js';
import { temporaryFolder, unpackStores } from '../support/stores.js';

const folder = temporaryFolder();
beforeAll(() => unpackStores(folder.path));
afterAll(folder.remove);

/** A task that reads one level of a golden image. */
const input = (level?: Level): PipelineInput => ({
  name: 'levels',
  arrays: {
    em: { store: 'good/ome-0.5-em', ...(level === undefined ? {} : { level }) },
    out: { store: 'out.zarr' },
  },
  tasks: {
    coarse: {
      type: 'downsample',
      source: 'em',
      target: 'out',
      factors: [[2, 2, 2]],
      method: 'mean',
      blockSize: [4, 4, 4],
    },
  },
});

const planOf = async (level?: Level) => planPipeline(await pipeline(input(level), { folder: folder.path }));

describe('a level of an image in a pipeline', () => {
  test.each<[string, Level]>([
    ['its path', 's1'],
    ['its voxel size', [80, 8, 8]],
  ])('named by %s is the array that tasks read', async (_, level) => {
    const { pipeline: resolved, arrays, refusals } = await planOf(level);
    expect(refusals).toEqual([]);
    const store = join(folder.path, 'good/ome-0.5-em/s1');
    expect(resolved.arrays.get('em')).toMatchObject({ store, source: { store } });
    expect(arrays.get('em')?.shape).toEqual([4, 6, 7]);
  });

  test.each<[string, Level | undefined, RegExp]>([
    ['a path that is none', 's9', /not there .*the image .* has the levels s0, s1, s2/],
    [
      'a voxel size that is none',
      [8, 8, 8],
      /cannot be used: .*expected a level with the voxel size \[8, 8, 8\], found s0 \[40, 4, 4\], s1/,
    ],
    ['nothing', undefined, /it is an image with the levels s0, s1, s2/],
  ])('named by %s is refused with those that there are', async (_, level, text) => {
    const { refusals } = await planOf(level);
    expect(refusals.map(({ key }) => key)).toEqual(['tasks.coarse.source']);
    expect(refusals[0]).toMatchObject({ code: 'ERR_ARRAY_MISSING', text: expect.stringMatching(text) });
  });

  test('two voxel sizes that are none are two arrays', async () => {
    const given = input([8, 8, 8]);
    const both = { ...given, arrays: { ...given.arrays, other: { store: 'good/ome-0.5-em', level: [9, 9, 9] } } };
    const plan = await planPipeline(await pipeline(both, { folder: folder.path }));
    expect(new Set([...plan.pipeline.arrays.values()].map(({ store }) => store)).size).toBe(3);
  });

  test('anything else is a problem of the file', async () => {
    const file = join(folder.path, 'levels.yaml');
    const tasks = JSON.stringify(input().tasks);
    for (const [level, text] of [
      ['../s0', "2:34: arrays.em.level: expected a path inside the image's group, found '../s0'"],
      ['[8, 0]', 'arrays.em.level[1]: expected a number of more than 0, found 0'],
      ['7', 'arrays.em.level: expected'],
    ]) {
      writeFileSync(
        file,
        `arrays:\n  em: {store: good/image, level: ${level}}\n  out: {store: out.zarr}\nname: levels\ntasks: ${tasks}\n`,
      );
      const error = await loadPipeline(file).catch((thrown: unknown) => thrown);
      expect(messageOf(error)).toContain(text);
    }
  });
});
