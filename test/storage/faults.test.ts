import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import type { Compressor } from '../../lib/storage/compressor.js';
import { removeStaleTemporaries, temporaryName } from '../../lib/storage/temporary-files.js';
import { noise } from '../support/noise.js';
import { until } from '../support/processes.js';
import { filesBelow, temporaryFolder } from '../support/stores.js';

const folder = temporaryFolder();
afterAll(folder.remove);
const WRITER = join(import.meta.dirname, '..', 'support', 'storage-writer.js');

function create(
  name: string,
  shape: number[],
  chunkShape: number[],
  compressor: Compressor,
  shardShape?: number[],
): Promise<ChunkedArray> {
  const metadata = {
    shape,
    chunkShape,
    ...(shardShape === undefined ? {} : { shardShape }),
    dataType: 'uint8' as const,
    channelAxes: 0,
    offset: Coordinate.filled(shape.length, 0),
    voxelSize: Coordinate.filled(shape.length, 1),
    units: shape.map(() => ''),
    axisNames: shape.map((_, axis) => `d${axis}`),
    attributes: {},
  };
  return ChunkedArray.create(join(folder.path, name), metadata, { compressor });
}

const zeros = (array: ChunkedArray) => array.shape.map(() => 0);
const readAll = (array: ChunkedArray) => array.readRegion(zeros(array), array.shape);
const temporaries = (path: string) => [...filesBelow(path).keys()].filter((name) => name.includes('.tmp'));

interface Failure {
  readonly code?: string;
  readonly message: string;
  readonly details: Record<string, unknown>;
}

async function failure(action: Promise<unknown>): Promise<Failure> {
  try {
    await action;
  } catch (error) {
    return error as Failure;
  }
  throw new Error('expected a failure');
}

describe('a killed writer', () => {
  async function killed(child: ChildProcess, milliseconds: number): Promise<void> {
    await once(child.stdout!, 'data');
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  test.each([
    ['chunk', 400_000, [1, 400_000], undefined],
    ['shard', 800_000, [1, 100_000], [2, 400_000]],
  ] as const)(
    'leaves the old or the new %s, and temporary files that are cleaned up',
    async (name, unit, chunk, shard) => {
      const array = await create(`killed-${name}`, [4, 400_000], [...chunk], { name: 'none' }, shard && [...shard]);
      const contents = [noise(1, 1_600_000), noise(2, 1_600_000)];
      for (let round = 0; round < 12; round += 1) {
        const child = spawn(process.execPath, [WRITER, 'alternate', array.path], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        await killed(child, (round * 7) % 29);
        const data = (await readAll(array)) as Uint8Array;
        for (let begin = 0; begin < data.length; begin += unit) {
          const part = data.subarray(begin, begin + unit);
          const same = contents.map((content) => Buffer.compare(content.subarray(begin, begin + unit), part) === 0);
          expect(same).toContain(true);
        }
      }
      const left = temporaries(array.path).length;
      const removed = await removeStaleTemporaries(array.path);
      expect(removed.length).toBe(left);
      expect(temporaries(array.path)).toEqual([]);
    },
  );

  test('only our own temporary files of dead processes are removed', async () => {
    const array = await create('temporaries', [4], [4], { name: 'none' });
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const mine = temporaryName();
    const stale = mine.replace(`-${process.pid}-`, `-${dead}-`);
    const otherHost = stale.replace(/^(\.blockwright-).{8}/, '$1' + '00000000');
    const foreign = ['.blockwright-x.tmp', `${stale}.bak`, `x${stale}`, 'notes.tmp'];
    for (const name of [mine, stale, otherHost, ...foreign]) writeFileSync(join(array.path, name), 'x');
    mkdirSync(join(array.path, 'c'));
    writeFileSync(join(array.path, 'c', stale), 'x');
    const elsewhere = join(folder.path, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, stale), 'x');
    symlinkSync(elsewhere, join(array.path, 'link'));
    expect(await removeStaleTemporaries(array.path)).toEqual(
      [join(array.path, stale), join(array.path, 'c', stale)].sort(),
    );
    expect(readdirSync(elsewhere)).toEqual([stale]);
    expect((await removeStaleTemporaries(array.path, { everyProcess: true })).length).toBe(2);
    expect(readdirSync(array.path).sort()).toEqual([...foreign, 'c', 'link', 'zarr.json'].sort());
  });
});

test('temporary files of a killed process whose remains nobody has collected are removed too', async () => {
  const array = await create('zombie', [4], [4], { name: 'none' });
  // The shell becomes a program that never asks after its children.
  const parent = spawn('bash', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const child = Number(String((await once(parent.stdout, 'data'))[0]));
    const read = (file: string) => readFileSync(`/proc/${file}`, 'utf8');
    await until('the shell is another program', () => read(`${parent.pid}/comm`).trim() === 'sleep');
    process.kill(child, 'SIGKILL');
    await until('the child is dead', () => read(`${child}/stat`).split(' ')[2] === 'Z');
    const stale = temporaryName().replace(`-${process.pid}-`, `-${child}-`);
    writeFileSync(join(array.path, stale), 'x');
    expect(await removeStaleTemporaries(array.path)).toEqual([join(array.path, stale)]);
  } finally {
    parent.kill('SIGKILL');
  }
});

describe('what the system refuses', () => {
  test('no space left: ENOSPC is named, old chunks stay whole, nothing else is left', async (): Promise<void> => {
    const mount = join(folder.path, 'small');
    mkdirSync(mount);
    const array = await create('no-space', [3, 300_000], [1, 300_000], { name: 'none' });
    const script = `mount -t tmpfs -o size=700k tmpfs "$0" && cp -r "$1/." "$0" && "$2" "$3" write "$0"`;
    const args = ['sh', '-c', script, mount, array.path, process.execPath, WRITER];
    const attempts = [
      ['-m', ...args],
      ['-Urm', ...args],
    ].map((list) => spawnSync('unshare', list, { encoding: 'utf8' }));
    const result = attempts.find(({ status }) => status === 0);
    if (result === undefined) {
      // Without the right to mount there is no small disk; the other tests of this group still run.
      console.warn(
        `ENOSPC not tried, a tmpfs cannot be mounted here: ${attempts.map(({ stderr, error }) => stderr ?? error).join(' ')}`,
      );
      return;
    }
    const { failure: error, files } = JSON.parse(result.stdout) as { failure: Failure; files: [string, number][] };
    expect(error.code).toBe('ERR_IO');
    expect(error.details.errno).toBe('ENOSPC');
    expect(error.message).toContain(join(mount, 'c'));
    // Some chunks fitted, wholly; nothing else is there. How many depends on which threads were writing.
    const chunks = files.filter(([name]) => name !== 'zarr.json');
    expect(chunks.length).toBeLessThan(3);
    for (const [name, size] of chunks) expect(`${name} ${size}`).toMatch(/^c\/[0-2]\/0 300000$/);
  });

  test('a folder without the right to write: EACCES or EROFS is named', async () => {
    const array = await create('read-only', [4], [4], { name: 'none' });
    chmodSync(array.path, 0o555);
    // Root may write anywhere, so it becomes somebody else for this test.
    const root = process.geteuid?.() === 0;
    if (root) chmodSync(folder.path, 0o755);
    if (root) process.seteuid?.(65534);
    try {
      const error = await failure(array.writeRegion([0], [4], Uint8Array.of(1, 2, 3, 4)));
      expect(error.code).toBe('ERR_IO');
      expect(['EACCES', 'EROFS']).toContain(error.details.errno);
      expect(error.message).toContain(array.path);
      const creation = await failure(ChunkedArray.create(join(array.path, 'inner'), array.metadata));
      expect([creation.code, creation.details.errno]).toEqual(['ERR_IO', 'EACCES']);
    } finally {
      if (root) process.seteuid?.(0);
      chmodSync(array.path, 0o755);
    }
    expect([...filesBelow(array.path).keys()]).toEqual(['zarr.json']);
  });

  test('a folder in place of a chunk, a file in place of a folder', async () => {
    const array = await create('folders', [2, 4], [1, 4], { name: 'none' });
    mkdirSync(join(array.path, 'c', '0', '0', 'x'), { recursive: true });
    writeFileSync(join(array.path, 'c', '1'), 'x');
    const data = new Uint8Array(4).fill(1);
    for (const row of [0, 1]) {
      const reading = await failure(array.readRegion([row, 0], [row + 1, 4]));
      expect([reading.code, reading.details.chunk]).toEqual(['ERR_CHUNK_CORRUPT', `c/${row}/0`]);
      const writing = await failure(array.writeRegion([row, 0], [row + 1, 4], data));
      expect([writing.code, writing.details.errno]).toEqual(['ERR_IO', row === 0 ? 'EISDIR' : 'ENOTDIR']);
    }
    expect(temporaries(array.path)).toEqual([]);
  });

  test('an array that was removed does not read as zeros', async () => {
    const array = await create('removed', [4], [4], { name: 'none' });
    expect([...(await readAll(array))]).toEqual([0, 0, 0, 0]);
    rmSync(array.path, { recursive: true });
    expect((await failure(readAll(array))).code).toBe('ERR_ARRAY_MISSING');
    expect((await failure(array.writeRegion([0], [4], new Uint8Array(4).fill(1)))).details.errno).toBe('ENOENT');
  });
});

describe('damaged chunks', () => {
  const COMPRESSORS: Compressor[] = [
    { name: 'none' },
    { name: 'zstd', checksum: true },
    { name: 'gzip' },
    { name: 'blosc' },
    { name: 'blosc', compressor: 'blosclz', shuffle: 'bits' },
    { name: 'blosc', compressor: 'zstd' },
  ];

  test.each(COMPRESSORS)('%j: any change is an error or the same size, never a crash', async (compressor) => {
    const array = await create(
      `damaged-${JSON.stringify(compressor).length}-${compressor.name}`,
      [9000],
      [9000],
      compressor,
    );
    const data = Uint8Array.from({ length: 9000 }, (_, i) => (i % 7) + (i >> 8));
    await array.writeRegion([0], [9000], data);
    const file = join(array.path, 'c', '0');
    const good = readFileSync(file);
    const detects = compressor.name === 'gzip' || compressor.name === 'zstd';
    let state = 7;
    const random = (limit: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let round = 0; round < 150; round += 1) {
      let bytes = Buffer.from(good);
      // Half of the changes hit the header.
      const at = random(round % 2 === 0 ? Math.min(40, bytes.length) : bytes.length);
      if (round % 5 === 4) bytes = bytes.subarray(0, at);
      else bytes[at] ^= 1 << random(8);
      writeFileSync(file, bytes);
      try {
        const read = (await readAll(array)) as Uint8Array;
        expect(read.length).toBe(9000);
        expect(bytes.length).toBe(good.length);
        // Bits that a format ignores (gzip's name, time, ...) may change, but then the content is the same.
        if (detects) expect(Buffer.compare(read, data)).toBe(0);
      } catch (error) {
        expect((error as Failure).code).toBe('ERR_CHUNK_CORRUPT');
      }
    }
    writeFileSync(file, good);
    expect(Buffer.compare((await readAll(array)) as Uint8Array, data)).toBe(0);
  });
});
