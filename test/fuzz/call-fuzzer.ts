import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cancellationCases } from '../../benchmarks/cancellation-cases.js';
import { isBlockwrightError } from '../../lib/errors.js';
import { Coordinate } from '../../lib/geometry/coordinate.js';
import { callNative, loadAddon } from '../../lib/native/addon.js';
import { ChunkedArray } from '../../lib/storage/chunked-array.js';
import { seededRandom } from '../support/seeded-random.js';
import { makeHostile } from './hostile-values.js';
import { below, oneOf } from './json-mutation.js';

interface GoodCall {
  readonly native: string;
  readonly options: Record<string, unknown>;
}

/** Voxels, rows or edges of a call: some of each, little enough for thousands of calls a second. */
const COUNT = 200;

/** Runs an action and returns what it would have handed to the addon first. */
async function capture(action: () => Promise<unknown>): Promise<GoodCall> {
  const addon = loadAddon();
  const originals = { ...addon };
  let captured: GoodCall | undefined;
  for (const native of Object.keys(originals)) {
    addon[native] = (options) => {
      captured ??= { native, options };
      return Promise.reject(new Error('captured'));
    };
  }
  try {
    await action().catch(() => undefined);
  } finally {
    Object.assign(addon, originals);
  }
  if (captured === undefined) throw new Error('no native function was called');
  return captured;
}

/** Calls every function of the addon with good options of which a few values were replaced by hostile ones. */
export class CallFuzzer {
  private constructor(
    private readonly folder: string,
    private readonly calls: readonly GoodCall[],
  ) {}

  static async create(): Promise<CallFuzzer> {
    const folder = mkdtempSync(join(tmpdir(), 'blockwright-calls-'));
    const calls: GoodCall[] = [];
    for (const each of cancellationCases) {
      const call = await each.make(COUNT, folder);
      calls.push(await capture(() => call.run({ threads: 2 })));
    }
    const axes = { axisNames: ['z', 'y', 'x'], units: ['nm', 'nm', 'nm'], offset: Coordinate.from([0, 0, 0]) };
    const sharded = await ChunkedArray.create(join(folder, 'sharded'), {
      ...axes,
      voxelSize: Coordinate.from([1, 1, 1]),
      shape: [8, 8, 8],
      dataType: 'uint16',
      channelAxes: 0,
      chunkShape: [4, 4, 4],
      shardShape: [8, 8, 8],
      attributes: {},
    });
    await sharded.writeRegion(
      [0, 0, 0],
      [8, 8, 8],
      Uint16Array.from({ length: 512 }, (_, index) => index),
    );
    const shard = readFileSync(join(folder, 'sharded', 'c', '0', '0', '0'));
    // 8 inner chunks and a checksum
    const shardIndex = Uint8Array.from(shard.subarray(-(8 * 16 + 4)));
    const place = (inner: number) => Number(new DataView(shardIndex.buffer).getBigUint64(8 * inner, true));
    const encoded = Uint8Array.from(shard.subarray(place(2), place(2) + place(3)));
    const region = await capture(() => sharded.readRegion([0, 0, 0], [8, 8, 8]));
    const options = { ...region.options, index: [0, 0, 0] };
    const shardSize = shard.length;
    calls.push({ native: 'findInnerChunks', options: { ...options, inner: [], shardIndex, shardSize } });
    calls.push({ native: 'decodeChunk', options: { ...options, inner: [[0, 0, 1]], encoded } });
    const path = join(folder, 'mapped');
    writeFileSync(path, 'content');
    calls.push({ native: 'mapFile', options: { path } });
    calls.push({ native: 'outputMemory', options: { bytes: 2 ** 20 } });
    return new CallFuzzer(folder, calls);
  }

  /**
   * One call, which depends on the numbers alone. Resolves with the function and its outcome: 'done', or the code of an error of
   * ours; throws where it is another.
   */
  async run(seed: number, number: number): Promise<{ readonly native: string; readonly outcome: string }> {
    const random = seededRandom((seed * 0x9e3779b1 + number) >>> 0);
    const { native, options: good } = oneOf(random, this.calls);
    const options = structuredClone(good);
    if (below(random, 2) === 0) options.cancel = new Uint8Array(1);
    for (let changes = below(random, 4); changes > 0; changes--) makeHostile(random, options);
    // whatever became of a path, nothing outside the folder is written to
    if (typeof options.path === 'string' && !options.path.startsWith(this.folder))
      options.path = join(this.folder, 'other');
    try {
      await callNative(native, options);
      return { native, outcome: 'done' };
    } catch (error) {
      if (isBlockwrightError(error) && error.code !== 'ERR_NATIVE') return { native, outcome: error.code };
      throw new Error(`${native}: expected an error with a name of ours, found ${String(error)}`, { cause: error });
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
