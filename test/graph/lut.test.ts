import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import * as zarr from 'zarrita';
import { type LutColumns, openLut, writeComputedLut, writeLut } from '../../lib/graph/lut.js';
import { isSameFile, makeFolder } from '../../lib/graph/lut-files.js';
import { syncedBy } from '../support/synced-paths.js';

const root = mkdtempSync(join(tmpdir(), 'lut-'));
afterAll(() => rmSync(root, { recursive: true }));
let folder = '';
let path = '';
let folders = 0;
beforeEach(() => {
  folder = join(root, String(folders++));
  mkdirSync(folder);
  path = join(folder, 'segments.lut');
});

const lut: LutColumns = {
  fragments: BigUint64Array.of(1n, 5n, 2n ** 53n + 1n, 2n ** 64n - 1n),
  segments: BigUint64Array.of(1n, 1n, 7n, 2n ** 63n),
  sizes: BigUint64Array.of(30n, 30n, 2n ** 40n, 0n),
};
const other: LutColumns = {
  fragments: BigUint64Array.of(9n),
  segments: BigUint64Array.of(8n),
  sizes: BigUint64Array.of(7n),
};
const empty: LutColumns = {
  fragments: new BigUint64Array(),
  segments: new BigUint64Array(),
  sizes: new BigUint64Array(),
};

async function messageOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('no error'),
    (reason) => reason,
  );
  return `${error.code}: ${error.message}`;
}

test.each([
  ['some rows', lut],
  ['no rows', empty],
])('comes back as it was written: %s', async (_, columns) => {
  await writeLut(path, columns, { pseudoCount: 100, graph: 'g' });
  expect(await openLut(path)).toEqual({ ...columns, attributes: { pseudoCount: 100, graph: 'g' } });
  expect(readdirSync(folder)).toEqual(['segments.lut']);
});

test('another zarr reader opens it, and each column is one raw chunk', async () => {
  await writeLut(path, lut);
  const names = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = new Map(
    names.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [`/${relative(path, file)}` as zarr.AbsolutePath, new Uint8Array(readFileSync(file))];
    }),
  );
  const group = await zarr.open.v3(files, { kind: 'group' });
  for (const column of ['fragments', 'segments', 'sizes'] as const) {
    const array = await zarr.open.v3(group.resolve(column), { kind: 'array' });
    expect((await zarr.get(array)).data).toEqual(lut[column]);
    expect(array.dtype).toBe('uint64');
    const raw = readFileSync(join(path, column, 'c/0'));
    expect(raw).toEqual(Buffer.from(lut[column].buffer));
  }
});

test('replaces a LUT, and leaves one with the same bytes alone', async () => {
  await writeLut(path, lut, { run: 1 });
  const before = statSync(path).ino;
  await writeLut(path, lut, { run: 1 });
  expect(statSync(path).ino).toBe(before);
  await writeLut(path, lut, { run: 2 });
  expect((await openLut(path)).attributes).toEqual({ run: 2 });
  await writeLut(path, other);
  expect((await openLut(path)).segments).toEqual(other.segments);
  expect(readdirSync(folder)).toEqual(['segments.lut']);
});

test('writers at the same time leave the whole LUT of one of them', async () => {
  await Promise.all([lut, other, lut, other, empty].map((columns) => writeLut(path, columns)));
  const { attributes, ...found } = await openLut(path);
  expect([lut, other, empty]).toContainEqual(found);
  expect(attributes).toEqual({});
  expect(readdirSync(folder)).toEqual(['segments.lut']);
});

test('replaces nothing but a LUT', async () => {
  mkdirSync(path);
  writeFileSync(join(path, 'notes.txt'), 'mine');
  expect(await messageOf(writeLut(path, lut))).toMatch(/^ERR_ARRAY_EXISTS: .*segments.lut: expected a LUT or nothing/);
  expect(readdirSync(folder)).toEqual(['segments.lut']);
  expect(readdirSync(path)).toEqual(['notes.txt']);
  writeFileSync(join(path, 'zarr.json'), JSON.stringify({ zarr_format: 3, node_type: 'group', attributes: {} }));
  expect(await messageOf(writeLut(path, lut))).toMatch(/^ERR_ARRAY_EXISTS: /);
  rmSync(path, { recursive: true });
  writeFileSync(path, 'a file');
  expect(await messageOf(writeLut(path, lut))).toMatch(/^ERR_ARRAY_EXISTS: /);
  expect(readFileSync(path, 'utf8')).toBe('a file');
});

test('removes what a killed writer left, not what a living one is writing', async () => {
  const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
  const leftover = join(folder, `.segments.lut.${hostname()}.${dead}.0.tmp`);
  const living = join(folder, `.segments.lut.${hostname()}.${process.ppid}.0.tmp`);
  const elsewhere = join(folder, `.segments.lut.another-host.${dead}.0.tmp`);
  for (const name of [leftover, living, elsewhere]) mkdirSync(join(name, 'fragments'), { recursive: true });
  await writeLut(path, lut);
  expect([leftover, living, elsewhere].map((name) => existsSync(name))).toEqual([false, true, true]);
});

test('refuses columns that are no LUT', async () => {
  const bad: [LutColumns, string][] = [
    [{ ...lut, sizes: other.sizes }, 'ERR_ARGUMENT: sizes: expected 4 rows, found 1'],
    [{ ...lut, fragments: BigUint64Array.of(0n, 1n, 2n, 3n) }, 'ERR_ARGUMENT: fragments[0]: expected more than 0'],
    [{ ...lut, fragments: BigUint64Array.of(1n, 3n, 2n, 4n) }, 'ERR_ARGUMENT: fragments[2]: expected more than 3'],
    [{ ...lut, fragments: BigUint64Array.of(1n, 3n, 3n, 4n) }, 'ERR_ARGUMENT: fragments[2]: expected more than 3'],
    [{ ...lut, segments: new Float64Array(4) as never }, 'ERR_ARGUMENT: segments: expected a BigUint64Array'],
  ];
  for (const [columns, message] of bad) expect(await messageOf(writeLut(path, columns))).toContain(message);
  expect(readdirSync(folder)).toEqual([]);
});

const changeJson = (file: string, change: Record<string, unknown>) => {
  const value = JSON.parse(readFileSync(join(path, file), 'utf8'));
  writeFileSync(join(path, file), JSON.stringify({ ...value, ...change }));
};

test.each<[string, () => void, RegExp]>([
  [
    'nothing there',
    () => rmSync(path, { recursive: true }),
    /^ERR_ARRAY_MISSING: .*segments.lut: expected a LUT, found none/,
  ],
  ['no zarr.json', () => rmSync(join(path, 'zarr.json')), /^ERR_ARRAY_MISSING: /],
  [
    'cut JSON',
    () => truncateSync(join(path, 'zarr.json'), 9),
    /^ERR_METADATA: .*zarr.json: expected the JSON of a LUT/,
  ],
  ['another group', () => changeJson('zarr.json', { attributes: {} }), /^ERR_METADATA: .*found another zarr group/],
  [
    'short chunk',
    () => truncateSync(join(path, 'segments/c/0'), 31),
    /^ERR_CHUNK_CORRUPT: .*segments.c.0: expected 32 bytes \(4 rows\), found 31/,
  ],
  [
    'long chunk',
    () => truncateSync(join(path, 'sizes/c/0'), 40),
    /^ERR_CHUNK_CORRUPT: .*sizes.c.0: expected 32 .* found 40/,
  ],
  ['no chunk', () => rmSync(join(path, 'fragments/c/0')), /^ERR_CHUNK_CORRUPT: .*fragments.c.0: .* found no file/],
  ['no array', () => rmSync(join(path, 'sizes'), { recursive: true }), /^ERR_IO: .*ENOENT.*sizes/],
  [
    'another type',
    () => changeJson('sizes/zarr.json', { data_type: 'int64' }),
    /^ERR_METADATA: .*data_type: .*found "int64"/,
  ],
  ['compressed', () => changeJson('sizes/zarr.json', { codecs: [{ name: 'zstd' }] }), /^ERR_METADATA: .*codecs/],
  ['odd shape', () => changeJson('sizes/zarr.json', { shape: [4, 1] }), /^ERR_METADATA: .*shape/],
  ['NaN rows', () => changeJson('sizes/zarr.json', { shape: ['x'] }), /^ERR_METADATA: .*shape/],
  [
    'columns of two LUTs',
    () => {
      const second = `${path}.second`;
      mkdirSync(second);
      renameSync(join(path, 'sizes'), join(second, 'sizes'));
      mkdirSync(join(path, 'sizes/c'), { recursive: true });
      writeFileSync(
        join(path, 'sizes/zarr.json'),
        readFileSync(join(second, 'sizes/zarr.json'), 'utf8').replace(/(\[\s*)4(\s*\])/g, '$13$2'),
      );
    },
    /^ERR_METADATA: .*sizes: expected 4 rows as in fragments, found 3/,
  ],
])('damage is named: %s', async (_, damage, message) => {
  await writeLut(path, lut);
  damage();
  expect(await messageOf(openLut(path))).toMatch(message);
});

test('segments and sizes may be computed meanwhile', async () => {
  await writeComputedLut(path, lut.fragments, async () => lut, { run: 1 });
  expect(await openLut(path)).toEqual({ ...lut, attributes: { run: 1 } });
  expect(readdirSync(folder)).toEqual(['segments.lut']);
});

test('nothing is left where that fails, and a LUT that is there stays', async () => {
  const failure = Object.assign(new Error('no segments'), { code: 'ERR_CANCELLED' });
  const failing = async () => {
    await new Promise((resolve) => setTimeout(resolve, 50)); // the files are there by then
    throw failure;
  };
  expect(await messageOf(writeComputedLut(path, lut.fragments, failing))).toBe('ERR_CANCELLED: no segments');
  expect(readdirSync(folder)).toEqual([]);
  await writeLut(path, lut);
  expect(await messageOf(writeComputedLut(path, other.fragments, failing))).toBe('ERR_CANCELLED: no segments');
  expect(await messageOf(writeComputedLut(path, lut.fragments, async () => other))).toMatch(
    /^ERR_ARGUMENT: segments: /,
  );
  expect(await openLut(path)).toEqual({ ...lut, attributes: {} });
  expect(readdirSync(folder)).toEqual(['segments.lut']);
});

test('where no folder can be made, the path that was given is named, or what else failed', async () => {
  writeFileSync(join(folder, 'file'), '');
  const below = join(folder, 'file/segments.lut');
  expect(await messageOf(writeLut(below, lut))).toMatch(`ERR_IO: ${below}: `);
  const failing = () => Promise.reject(Object.assign(new Error('no memory'), { code: 'ERR_OUT_OF_MEMORY' }));
  expect(await messageOf(writeComputedLut(below, lut.fragments, failing))).toBe('ERR_OUT_OF_MEMORY: no memory');
  expect(readdirSync(folder)).toEqual(['file']);
});

const onLinux = process.platform === 'linux' ? test : test.skip;
onLinux('every folder that is made for a LUT is durable', async () => {
  const synced = await syncedBy(() => writeLut(join(folder, 'a/b/segments.lut'), lut));
  expect([...synced]).toEqual(expect.arrayContaining([folder, join(folder, 'a'), join(folder, 'a/b')]));
  // and all that is in it, under the name that it is written with
  const written = [...synced].map((name) => /\.tmp(?:\/(.*))?$/.exec(name)).filter((match) => match !== null);
  const names = [
    'zarr.json',
    ...['fragments', 'segments', 'sizes'].flatMap((c) => [c, `${c}/zarr.json`, `${c}/c`, `${c}/c/0`]),
  ];
  expect(written.map(([, name]) => name ?? '').sort()).toEqual(['', ...names].sort());
});

/** Runs a program that may use `writeLut`, `makeFolder` and a `lut`; where it never ends, it is ended. */
function program(text: string, cwd = folder) {
  const from = (name: string) => JSON.stringify(new URL(`../../lib/graph/${name}.js`, import.meta.url).href);
  const lines = [
    `import { writeLut } from ${from('lut')};`,
    `import { makeFolder } from ${from('lut-files')};`,
    'const column = BigUint64Array.of(1n);',
    'const lut = { fragments: column, segments: column, sizes: column };',
    text,
  ];
  const options = { cwd, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' } as const;
  return spawnSync(process.execPath, ['--input-type=module', '-e', lines.join('\n')], options);
}

onLinux(
  'folders where nobody may make anything are an error',
  () => {
    for (const place of ['/proc/a.lut', '/proc/a/b/c.lut']) {
      const write = `await writeLut(${JSON.stringify(place)}, lut).catch((error) => console.log(error.code));`;
      expect(program(write)).toMatchObject({ status: 0, stdout: 'ERR_IO\n' });
    }
  },
  150_000,
);

test('a folder with a short relative name is made, and those in it', async () => {
  expect(program("await makeFolder('a'); await makeFolder('b/c'); await makeFolder('a');")).toMatchObject({
    status: 0,
  });
  expect(['a', 'b/c'].map((name) => existsSync(join(folder, name)))).toEqual([true, true]);
  await expect(makeFolder(join(folder, 'a'))).resolves.toBeUndefined();
});

test('threads of one process give different temporary names', async () => {
  const names = [1, 2].map(() => {
    const file = JSON.stringify(new URL('../../lib/graph/lut-files.js', import.meta.url).href);
    const text = `import(${file}).then((files) => require('worker_threads').parentPort.postMessage(files.temporaryName('/a/b.lut')))`;
    const worker = new Worker(text, { eval: true });
    return new Promise<string>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  });
  const found = await Promise.all(names);
  const name = new RegExp(`^/a/\\.b\\.lut\\.${hostname()}\\.${process.pid}\\.\\d+\\.tmp$`);
  for (const each of found) expect(each).toMatch(name);
  expect(found[0]).not.toBe(found[1]);
});

onLinux('files that are compared are closed, also where one cannot be opened', async () => {
  const [one, other] = ['one', 'other'].map((name) => join(folder, name));
  for (const file of [one, other]) writeFileSync(file, 'bytes');
  const open = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
      } catch {
        return false; // that of the list itself
      }
    });
  expect(await isSameFile(one, other)).toBe(true);
  expect(await isSameFile(one, join(folder, 'none'))).toBe(false);
  expect(await isSameFile(join(folder, 'none'), join(folder, 'none'))).toBe(true);
  for (const [a, b] of [
    [one, `${other}/below`],
    [`${other}/below`, one],
  ]) {
    await expect(isSameFile(a, b)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await new Promise(setImmediate); // an open that goes on by itself has ended then
    expect(open()).toEqual([]);
  }
});
