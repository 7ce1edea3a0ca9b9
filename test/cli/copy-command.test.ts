import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { factsOf, type TypedArray } from '../../lib/storage/data-type.js';
import { noise } from '../support/noise.js';
import { processesOf, until } from '../support/processes.js';
import { metadataOf } from '../support/small-volume.js';
import { filesBelow, unpackStores } from '../support/stores.js';
import { ToyPipeline } from '../support/toy-pipeline.js';

const toy = new ToyPipeline();
const path = (name: string) => join(toy.folder, name);
/** 4 x 4 x 4 chunks. */
const SHAPE = [48, 48, 48];
beforeAll(async () => {
  unpackStores(toy.folder);
  const metadata = metadataOf({
    dataType: 'uint8',
    chunkShape: [12, 12, 12],
    attributes: { neighborhood: [[1, 0, 0]] },
  });
  const array = await ChunkedArray.create(path('source'), metadata);
  await array.writeRegion([0, 0, 0], SHAPE, noise(1, 48 ** 3));
});
afterAll(() => toy.remove());

async function voxels(store: string, begin?: number[], end?: number[]): Promise<TypedArray> {
  const array = await ChunkedArray.open(path(store));
  return array.readRegion(begin ?? array.shape.map(() => 0), end ?? array.shape);
}

describe('copy', () => {
  test('with workers: other chunks and codecs; the run folder goes', async () => {
    const { status, out, error } = await toy.run(
      'copy',
      'source',
      'rechunked',
      '--chunks',
      '24,24,16',
      '--compressor',
      'blosc:zstd:3:bitshuffle',
      '--workers',
      '2',
    );
    expect(status).toBe(0);
    expect(out).toContain('complete: every block is done');
    expect(error).toContain(
      'rechunked: 48 x 48 x 48 uint8, zarr v3, chunks of 24 x 24 x 16, blosc zstd level 3, bit shuffle; 12 blocks of 24 x 24 x 16\n',
    );
    expect(error).toContain('copy: ends, 12 done');
    const { metadata, format } = await ChunkedArray.open(path('rechunked'));
    expect(metadata.chunkShape).toEqual([24, 24, 16]);
    expect(metadata.attributes).toEqual({ neighborhood: [[1, 0, 0]] });
    expect(format.codecs).toEqual([
      { name: 'blosc', compressor: 'zstd', level: 3, shuffle: 2, typeSize: 1, blockSize: 0 },
    ]);
    expect(await voxels('rechunked')).toEqual(await voxels('source'));
    expect(existsSync(path('rechunked.copy.run'))).toBe(false);
    expect((await toy.inProcess('verify', 'FOLDER/rechunked')).status).toBe(0);
    // a second time there is nothing to go on with
    const again = await toy.inProcess('copy', 'FOLDER/source', 'FOLDER/rechunked');
    expect(again).toEqual({
      status: 2,
      out: '',
      error:
        'blockwright: ERR_ARRAY_EXISTS: FOLDER/rechunked is there already, and no copy to it is unfinished: it is complete, or something else. Remove it to copy again\n',
    });
  });

  test('an image is not made over a level that lies in its folder, whoever left it there', async () => {
    cpSync(path('good/ome-0.4-em/s1'), path('folder/s0'), { recursive: true });
    const { status, error } = await toy.inProcess('copy', 'FOLDER/source', 'FOLDER/folder', '--ome', '0.5');
    expect([status, error]).toEqual([
      2,
      expect.stringContaining('ERR_ARRAY_EXISTS: FOLDER/folder/s0 is there already'),
    ]);
    expect(existsSync(path('folder/zarr.json'))).toBe(false);
  });

  test.each(['note', 'note/copy'])('nothing can be copied into a file: %s', async (target) => {
    writeFileSync(path('note'), '');
    const { status, error } = await toy.inProcess('copy', 'FOLDER/source', `FOLDER/${target}`);
    expect([status, error.replaceAll(toy.folder, 'FOLDER')]).toEqual([
      2,
      `blockwright: ERR_PLAN: the target FOLDER/${target} cannot be written: FOLDER/note is no folder\n`,
    ]);
  });

  test.each([
    ['voxels', ['--begin', '10,0,3', '--end', '20,48,40']],
    ['the world', ['--roi', '80,0,24:80,384,296']],
  ])('a part in %s', async (name, part) => {
    const { status } = await toy.run('copy', 'source', `part of ${name}`, '--chunks', '8,8,8', ...part, '--quiet');
    expect(status).toBe(0);
    const { metadata } = await ChunkedArray.open(path(`part of ${name}`));
    expect([metadata.shape, metadata.offset.values]).toEqual([
      [10, 48, 37],
      [80, 0, 24],
    ]);
    expect(await voxels(`part of ${name}`)).toEqual(await voxels('source', [10, 0, 3], [20, 48, 40]));
  });

  test('a level of an image keeps its place', async () => {
    expect((await toy.run('copy', 'good/ome-0.4-em/s1', 'level', '--quiet', '--workers', '1')).status).toBe(0);
    const [source, target] = await Promise.all(
      ['good/ome-0.4-em/s1', 'level'].map((one) => ChunkedArray.open(path(one))),
    );
    expect(target.metadata).toEqual(source.metadata);
    expect(await voxels('level')).toEqual(await voxels('good/ome-0.4-em/s1'));
  });

  test('with operations on the way, from the command line and from a file', async () => {
    const operations = [
      { type: 'flip', axes: [0, 2] },
      { type: 'threshold', value: 120 },
    ];
    writeFileSync(path('operations.yaml'), '- {type: flip, axes: [0, 2]}\n- {type: threshold, value: 120}\n');
    const options = ['--begin', '0,0,8', '--shards', '24,24,20', '--chunks', '12,12,10', '--quiet', '--workers', '2'];
    for (const [name, given] of [
      ['inline', JSON.stringify(operations)],
      ['file', 'operations.yaml'],
    ]) {
      const { status } = await toy.run(
        'copy',
        'source',
        name,
        '--operations',
        given,
        '--data-type',
        'int32',
        ...options,
      );
      expect(status).toBe(0);
    }
    const { metadata } = await ChunkedArray.open(path('inline'));
    expect(metadata).toMatchObject({ shape: [48, 48, 40], dataType: 'int32', shardShape: [24, 24, 20] });
    expect(metadata.offset.values).toEqual([0, 0, 64]);
    const source = await voxels('source');
    const expected = Int32Array.from({ length: 48 * 48 * 40 }, (_, at) => {
      const [z, y, x] = [Math.floor(at / 1920), Math.floor(at / 40) % 48, (at % 40) + 8];
      return source[((47 - z) * 48 + y) * 48 + (47 - x)] > 120 ? 1 : 0;
    });
    expect(await voxels('inline')).toEqual(expected);
    expect([...filesBelow(path('file'))]).toEqual([...filesBelow(path('inline'))]);
  });

  test('into an image of one level', async () => {
    expect((await toy.run('copy', 'source', 'image', '--ome', '0.5', '--quiet', '--workers', '2')).status).toBe(0);
    expect(await voxels('image/s0')).toEqual(await voxels('source'));
    const { out } = await toy.inProcess('info', 'FOLDER/image');
    expect(out).toContain('FOLDER/image: zarr v3 group, OME-Zarr image\n');
    expect((await toy.inProcess('copy', 'FOLDER/source', 'FOLDER/image')).error).toContain('ERR_ARRAY_EXISTS');
  });

  test('killed with all its workers, the same command goes on, and gives the same bytes', async () => {
    const shape = [64, 64, 64];
    const big = await ChunkedArray.create(
      path('big'),
      metadataOf({ shape, chunkShape: [16, 64, 64], dataType: 'uint8' }),
    );
    await big.writeRegion([0, 0, 0], shape, noise(3, 64 ** 3));
    const options = ['--chunks', '4,16,16', '--block', '4,16,16', '--compressor', 'gzip:6', '--workers', '2', '--json'];
    expect((await toy.run('copy', 'big', 'undisturbed', ...options)).status).toBe(0);

    const journal = path('killed.copy.run/journal.jsonl');
    const done = () => (existsSync(journal) ? readFileSync(journal, 'utf8').split('"block-done"').length - 1 : 0);
    let kills = 0;
    let result: { tasks: { alreadyDone: number; total: number }[] } | undefined;
    for (let start = 0; result === undefined && start < 20; start++) {
      const before = done();
      const program = toy.start('copy', 'big', 'killed', ...options);
      const isOver = program.ended.then(() => true);
      await Promise.race([isOver, until('blocks are done', () => kills >= 3 || done() >= before + 20)]);
      if (kills >= 3) {
        const { status, out } = await program.ended;
        expect(status).toBe(0);
        result = JSON.parse(out.trimEnd().split('\n').at(-1)!);
        break;
      }
      program.process.kill('SIGKILL');
      for (const pid of processesOf(path('killed.copy.run'))) process.kill(pid, 'SIGKILL');
      await program.ended;
      kills += 1;
    }
    expect(kills).toBe(3);
    expect(result?.tasks[0].total).toBe(256);
    expect(result?.tasks[0].alreadyDone).toBeGreaterThan(0);
    expect(filesBelow(path('killed'))).toEqual(filesBelow(path('undisturbed')));
    expect(existsSync(path('killed.copy.run'))).toBe(false);
  });

  test('a damaged chunk fails its block alone, and the copy is not complete', async () => {
    const array = await ChunkedArray.create(
      path('damaged-source'),
      metadataOf({ chunkShape: [24, 24, 24], dataType: 'uint8' }),
    );
    await array.writeRegion([0, 0, 0], SHAPE, noise(2, 48 ** 3));
    truncateSync(join(array.path, 'c/1/0/1'), 20);
    const { status, out, error } = await toy.run('copy', 'damaged-source', 'partial', '--workers', '2');
    expect(status).toBe(1);
    expect(out).toContain('chunk c/1/0/1 of');
    expect(error).toContain(`What failed: blockwright failures ${path('partial.copy.run')}`);
    expect(await voxels('partial', [0, 0, 0], [24, 48, 48])).toEqual(
      await voxels('damaged-source', [0, 0, 0], [24, 48, 48]),
    );
    // mended, it goes on; with other options it does not
    await array.writeRegion([24, 0, 24], [48, 24, 48], noise(4, 24 ** 3));
    const other = await toy.run('copy', 'damaged-source', 'partial', '--chunks', '12,12,12');
    expect(other.status).toBe(2);
    expect(other.error).toContain('ERR_PLAN_CHANGED');
    expect(other.error).toContain(`to start anew, remove ${path('partial.copy.run')} and partial`);
    expect((await toy.run('copy', 'damaged-source', 'partial', '--quiet')).status).toBe(0);
    expect(await voxels('partial')).toEqual(await voxels('damaged-source'));
  });

  test.each<[string, string[], string]>([
    [
      'nothing',
      ['FOLDER/none', 'FOLDER/x'],
      'ERR_ARRAY_MISSING: FOLDER/none: expected a zarr array, but nothing is there',
    ],
    [
      'an image without its level',
      ['FOLDER/good/ome-0.5-em', 'FOLDER/x'],
      'ERR_ARRAY_MISSING: FOLDER/good/ome-0.5-em: expected a zarr array, but it is an image with the levels s0, s1, s2',
    ],
    ['to itself', ['FOLDER/source', 'FOLDER/source'], 'ERR_PLAN: the target FOLDER/source is the source'],
    [
      'into itself',
      ['FOLDER/source', 'FOLDER/source/x/y'],
      'ERR_PLAN: the target FOLDER/source/x/y lies inside the source',
    ],
    [
      'into itself by a link',
      ['FOLDER/source', 'FOLDER/link/y'],
      'ERR_PLAN: the target FOLDER/link/y lies inside the source',
    ],
    ['over what holds it', ['FOLDER/good/v3-2d', 'FOLDER/good'], 'ERR_PLAN: the target FOLDER/good holds the source'],
    [
      'over another array',
      ['FOLDER/source', 'FOLDER/good/v3-2d'],
      'ERR_ARRAY_EXISTS: FOLDER/good/v3-2d is there already',
    ],
    [
      'over a group',
      ['FOLDER/source', 'FOLDER/good/ome-0.5-em'],
      'ERR_ARRAY_EXISTS: FOLDER/good/ome-0.5-em is there already',
    ],
    [
      'voxels outside',
      ['FOLDER/source', 'FOLDER/x', '--end', '48,48,49'],
      'ERR_CONFIG: begin, end: expected voxels inside [48, 48, 48]',
    ],
    ['a box outside', ['FOLDER/source', 'FOLDER/x', '--roi', '900,0,0:8,8,8'], 'roi: expected a part of'],
    ['wrong axes', ['FOLDER/source', 'FOLDER/x', '--chunks', '8,8'], 'chunkShape: expected 3 numbers, found [8, 8]'],
    [
      'an operation that cannot be done',
      ['FOLDER/source', 'FOLDER/x', '--operations', '{type: flip, axes: [3]}'],
      'ERR_PLAN: arrays.source.operations[0].axes[0]: expected a physical axis from 0 to 2, found 3',
    ],
    [
      'a type that is none',
      ['FOLDER/source', 'FOLDER/x', '--data-type', 'uint12'],
      "found 'uint12' (did you mean 'uint16'?)",
    ],
    [
      'an unknown compressor',
      ['FOLDER/source', 'FOLDER/x', '--compressor', 'blosc:lzma'],
      'ERR_CONFIG: --compressor: expected ',
    ],
  ])('%s is refused', async (_, args, message) => {
    if (!existsSync(path('link'))) symlinkSync('source', path('link'));
    const { status, out, error } = await toy.inProcess('copy', ...args);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(error).toContain(message);
    expect(error).toMatch(/^blockwright: /);
    expect(existsSync(path('x'))).toBe(false);
    expect(existsSync(path('x.copy.run'))).toBe(false);
  });

  test.each([
    [['--chunks', '8,8,x'], "--chunks: expected whole numbers of at least 1, as in 64,64,64, found '8,8,x'"],
    [['--chunks', '8,0,8'], "--chunks: expected whole numbers of at least 1, as in 64,64,64, found '8,0,8'"],
    [
      ['--roi', '0,0:8,8,8'],
      "--roi: expected offset and shape in world units, as in 0,80,80:800,400,400, found '0,0:8,8,8'",
    ],
    [
      ['--compressor', 'zstd:fast'],
      "--compressor: expected none, zstd|gzip|zlib[:LEVEL], lz4 or blosc[:NAME[:LEVEL[:none|bytes|bits]]], found 'zstd:fast'",
    ],
    [['--operations', 'none.yaml'], "--operations: ENOENT: no such file or directory, open 'none.yaml'"],
    [['--operations', '7'], "--operations: ENOENT: no such file or directory, open '7'"],
    [['--zarr-format', '4'], '--zarr-format: expected one of 2, 3, found 4'],
    [['--chunk', '8,8,8'], 'unknown option: --chunk (did you mean --chunks?)'],
  ])('%j is not understood', async (args, message) => {
    const { status, error } = await toy.inProcess('copy', 'FOLDER/source', 'FOLDER/x', ...args);
    expect({ status, error }).toEqual({ status: 2, error: `blockwright: ${message}\nSee: blockwright copy --help\n` });
  });

  test('a folder that is empty, or holds other things, can be copied to', async () => {
    mkdirSync(path('there'));
    writeFileSync(path('there/notes.txt'), '');
    expect((await toy.run('copy', 'good/v3-1d', 'there', '--quiet', '--workers', '1')).status).toBe(0);
    const { metadata } = await ChunkedArray.open(path('there'));
    expect(await voxels('there')).toHaveLength(metadata.shape[0]);
    expect(factsOf(metadata.dataType).bytes).toBeGreaterThan(0);
  });

  test('of an array that does not say where it lies: axes, voxel size, offset and units are given', async () => {
    const metadata = metadataOf({ dataType: 'uint8', shape: [2, 20, 24], chunkShape: [1, 10, 12] });
    const array = await ChunkedArray.create(path('unplaced'), metadata);
    await array.writeRegion([0, 0, 0], [2, 20, 24], noise(3, 960));
    const place = ['--axes', 'c^,y,x', '--voxel-size', '4,8', '--offset=-40,16', '--units', 'nm,nm'];
    const part = ['--begin', '10,0', '--end', '20,12', '--quiet'];
    expect((await toy.run('copy', 'unplaced', 'placed', ...place, ...part)).status).toBe(0);
    const placed = await ChunkedArray.open(path('placed'));
    expect(placed.metadata).toMatchObject({ channelAxes: 1, units: ['nm', 'nm'], axisNames: ['c^', 'y', 'x'] });
    expect([placed.metadata.voxelSize.values, placed.metadata.offset.values]).toEqual([
      [4, 8],
      [0, 16],
    ]);
    expect(await voxels('placed')).toEqual(await voxels('unplaced', [0, 10, 0], [2, 20, 12]));
  });

  test('a place that lets nobody make folders is told at once', async () => {
    const { status, error } = await toy.run('copy', 'source', '/proc/copied');
    expect(status).not.toBe(0);
    expect(error).toMatch(/ERR_(IO|PLAN): .*\/proc/);
  });
});
