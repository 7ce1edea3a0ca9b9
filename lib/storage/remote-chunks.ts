import { BlockwrightError, codeOf } from '../errors.js';
import type { ArrayFormat, ChunkFormat } from './array-format.js';
import { forEachBounded } from './bounded.js';
import type { ByteRange } from './byte-range.js';
import { chunkKey, chunksOf } from './chunk-grid.js';
import { factsOf } from './data-type.js';
import { encodedLimit, indexBytes } from './encoded-size.js';
import { ReadCache } from './read-cache.js';
import { type ChunkPlace, decodeChunkNatively, findInnerChunksNatively } from './region-engine.js';
import type { RegionMemory } from './region-memory.js';
import type { RemotePart, RemoteStore } from './remote-store.js';
import { RequestSlots } from './request-slots.js';

/** Inner chunks that lie near each other in a shard are asked for at once. */
const LARGEST_GAP = 2 ** 15;
const LONGEST_RUN = 2 ** 22;

/** A chunk that is a file, or a part of one. */
interface StoredChunk extends ChunkPlace {
  /** Of the file. */
  readonly key: string;
  readonly format: ChunkFormat;
  /** Its first voxel in the array. */
  readonly begin: readonly number[];
  readonly part?: { readonly offset: number; readonly length: number };
}

/** One call of {@link RemoteChunks.read}. */
interface Job {
  readonly region: RegionMemory;
  readonly signal: AbortSignal;
  /** Told of each file that was asked for and is not there. */
  readonly onMissing: () => void;
}

/** The chunks of an array in a remote store: fetched as they are stored, remembered, and decoded natively. */
export class RemoteChunks {
  private readonly cache: ReadCache;
  /** What is fetched and not decoded yet takes memory. */
  private readonly slots: RequestSlots;

  constructor(
    private readonly path: string,
    private readonly format: ArrayFormat,
    private readonly store: RemoteStore,
    private readonly options: { readonly cacheBytes: number; readonly concurrency: number },
  ) {
    this.cache = new ReadCache(options.cacheBytes);
    this.slots = new RequestSlots(options.concurrency);
  }

  /** Bytes that are remembered. */
  get cachedBytes(): number {
    return this.cache.bytes;
  }

  /**
   * Reads a region. Nothing is written to its memory any more when the promise settles.
   *
   * @returns the number of files that were asked for and are not there
   */
  async read(region: RegionMemory, signal: AbortSignal | undefined): Promise<number> {
    const { format, options } = this;
    let missing = 0;
    const chunks = chunksOf(format.chunkShape, region.begin, region.end);
    const onMissing = () => {
      missing += 1;
    };
    await forEachBounded(chunks, options.concurrency, signal, (index, jobSignal) => {
      const begin = index.map((position, axis) => position * format.chunkShape[axis]);
      const chunk = { key: chunkKey(format, index), index, inner: [], format, begin };
      return this.readChunk(chunk, { region, signal: jobSignal, onMissing });
    });
    return missing;
  }

  /** Forgets all that was read. */
  clear(): void {
    this.cache.clear();
  }

  private async readChunk(chunk: StoredChunk, job: Job): Promise<void> {
    if (chunk.format.shard !== undefined && chunk.format.codecs.length === 0) return this.readShard(chunk, job);
    const limit = encodedLimit(chunk.format, this.itemBytes);
    const read = (signal: AbortSignal) => this.fetch(chunk, chunk.part, limit, signal, job);
    return this.slots.use(async () => {
      const encoded = await this.cache.get(nameOf(chunk), read, job.signal);
      await this.decode(chunk, encoded?.bytes, job);
    });
  }

  private async readShard(shard: StoredChunk, job: Job): Promise<void> {
    const size = indexBytes(shard.format);
    const range = indexRange(shard, size);
    const name = `${nameOf(shard)} index`;
    const index = await this.cache.get(name, (signal) => this.fetch(shard, range, size, signal, job), job.signal);
    if (index === undefined) return this.decode(shard, undefined, job);
    const shardSize = shard.part?.length ?? index.fileSize ?? Number.MAX_SAFE_INTEGER;
    const { path, format, cache } = this;
    let places: Float64Array;
    try {
      places = await findInnerChunksNatively(path, format, job.region, shard, index.bytes, shardSize);
    } catch (error) {
      cache.forget(name);
      throw error;
    }
    const inner = [...innerChunks(shard, places, job.region)];
    const isAlone = (chunk: InnerChunk) => chunk.format.shard !== undefined || cache.has(nameOf(chunk));
    const alone = inner.filter(isAlone);
    const runs = runsOf(inner.filter((chunk) => !isAlone(chunk)));
    const work = [
      ...alone.map((chunk) => (part: Job) => this.readChunk(chunk, part)),
      ...runs.map((run) => (part: Job) => this.slots.use(() => this.readRun(run, part))),
    ];
    await forEachBounded(work, this.options.concurrency, job.signal, (action, signal) => action({ ...job, signal }));
  }

  /** Inner chunks of one shard that lie near each other. */
  private async readRun(run: readonly InnerChunk[], job: Job): Promise<void> {
    const limit = encodedLimit(run[0].format, this.itemBytes);
    const tooLong = run.find(({ part }) => part.length > limit);
    if (tooLong !== undefined) throw this.damaged(tooLong, `${tooLong.part.length} bytes are more than it can need`);
    const offset = run[0].part.offset;
    const length = Math.max(...run.map(({ part }) => part.offset + part.length)) - offset;
    const read = (signal: AbortSignal) => this.fetch(run[0], { offset, length }, length, signal, job);
    const found = await this.cache.share(`${run[0].key} ${offset}+${length}`, read, job.signal);
    if (found === undefined) throw this.damaged(run[0], 'the file has gone');
    for (const chunk of run) {
      const first = chunk.part.offset - offset;
      const encoded = found.bytes.slice(first, first + chunk.part.length);
      if (encoded.length < chunk.part.length) throw this.damaged(chunk, 'the file ends before it');
      await this.decode(chunk, encoded, job);
      this.cache.keep(nameOf(chunk), { bytes: encoded, fileSize: undefined });
    }
  }

  private async decode(chunk: StoredChunk, encoded: Uint8Array | undefined, job: Job): Promise<void> {
    try {
      await decodeChunkNatively(this.path, this.format, job.region, chunk, encoded);
    } catch (error) {
      // It may arrive whole the next time.
      this.cache.forget(nameOf(chunk));
      throw error;
    }
  }

  private async fetch(
    chunk: StoredChunk,
    range: ByteRange | undefined,
    limit: number,
    signal: AbortSignal,
    job: Job,
  ): Promise<RemotePart | undefined> {
    const errand = { address: `${this.path}/${chunk.key}`, limit, signal };
    try {
      const part = await (range === undefined ? this.store.get(errand) : this.store.getRange(errand, range));
      if (part === undefined) job.onMissing();
      return part;
    } catch (error) {
      if (codeOf(error) !== 'ERR_LIMIT') throw error;
      throw this.damaged(chunk, `it has more than ${limit} bytes, the most that it can need`);
    }
  }

  private damaged({ key, inner }: StoredChunk, reason: string): BlockwrightError {
    const place = inner.map((position) => `inner chunk [${position}]: `).join('');
    const kind = this.format.shard === undefined ? 'chunk' : 'shard';
    const message = `${kind} ${key} of ${this.path} is damaged: ${place}${reason}`;
    return new BlockwrightError('ERR_CHUNK_CORRUPT', message, { path: this.path, chunk: key });
  }

  private get itemBytes(): number {
    return factsOf(this.format.dataType).storedBytes;
  }
}

function nameOf({ key, part }: StoredChunk): string {
  return part === undefined ? key : `${key} ${part.offset}+${part.length}`;
}

/** Where the index of a shard lies in its file. */
function indexRange({ format, part }: StoredChunk, size: number): ByteRange {
  const atStart = format.shard?.indexLocation === 'start';
  if (part === undefined) return atStart ? { offset: 0, length: size } : { suffixLength: size };
  const length = Math.min(size, part.length);
  return { offset: atStart ? part.offset : part.offset + part.length - length, length };
}

type InnerChunk = StoredChunk & { readonly part: NonNullable<StoredChunk['part']> };

/** The inner chunks of a shard that a region meets and that are not missing. */
function* innerChunks(shard: StoredChunk, places: Float64Array, region: RegionMemory): Generator<InnerChunk> {
  const format = shard.format.shard?.inner as ChunkFormat;
  const begin = shard.begin.map((first, axis) => Math.max(first, region.begin[axis]));
  const end = shard.begin.map((first, axis) => Math.min(first + shard.format.chunkShape[axis], region.end[axis]));
  let number = 0;
  for (const grid of chunksOf(format.chunkShape, begin, end)) {
    const [offset, length] = places.subarray(2 * number, 2 * number + 2);
    number += 1;
    if (offset < 0) continue;
    const first = grid.map((position, axis) => position * format.chunkShape[axis]);
    const position = first.map((voxel, axis) => (voxel - shard.begin[axis]) / format.chunkShape[axis]);
    const part = { offset: (shard.part?.offset ?? 0) + offset, length };
    yield { ...shard, inner: [...shard.inner, position], format, begin: first, part };
  }
}

/** Groups inner chunks that one request can bring. */
function runsOf(chunks: readonly InnerChunk[]): InnerChunk[][] {
  const runs: InnerChunk[][] = [];
  let begin = 0;
  let end = 0;
  for (const chunk of chunks.toSorted((a, b) => a.part.offset - b.part.offset)) {
    const { offset, length } = chunk.part;
    if (runs.length === 0 || offset > end + LARGEST_GAP || offset + length > begin + LONGEST_RUN) {
      runs.push([]);
      begin = offset;
      end = offset;
    }
    runs[runs.length - 1].push(chunk);
    end = Math.max(end, offset + length);
  }
  return runs;
}
