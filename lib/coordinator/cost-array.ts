import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { dirname, join } from 'node:path';
import { codeOf } from '../errors.js';
import { COSTS, type CostName } from './block-cost.js';
import { DoneRecordLayout } from './done-record-layout.js';
import type { GridWorld } from './done-record-metadata.js';
import { removeTemporaries, replaceFile } from './durable-file.js';

/** Blocks of one chunk. */
const CHUNK_BLOCKS = 2 ** 16;
/** Chunks that are in memory at once. */
const CHUNKS_IN_MEMORY = 4;

/** Whose costs they are. */
export interface CostOwner {
  readonly task: string;
  readonly planHash: string;
  readonly world: GridWorld;
}

interface Chunk {
  readonly file: string;
  /** The blocks that it holds: `count` of them, from `first`. */
  readonly first: number;
  readonly count: number;
  readonly values: Float32Array | Uint8Array;
  /** Whether the file is there. */
  stored: boolean;
  /** The values that changed since they were written. */
  low: number;
  high: number;
}

/**
 * One quantity of all blocks of a task: a zarr v3 array in the shape of the block grid. Values gather in memory, a few chunks
 * of them, and are written now and then, without a sync: after a crash the newest may be missing or be those of an earlier
 * attempt, but the array can be read.
 */
export class CostArray {
  private readonly chunks = new Map<number, Chunk>();
  private readonly layout: DoneRecordLayout;
  private readonly description: string;
  private current: Chunk | undefined;
  private described = false;

  /**
   * Goes on with an array that is there; what belongs to another plan, or is no such array, is removed.
   *
   * @param path the array's folder, made with the first value
   */
  constructor(
    private readonly path: string,
    private readonly name: CostName,
    shape: readonly number[],
    owner: CostOwner,
  ) {
    this.layout = new DoneRecordLayout(shape, CHUNK_BLOCKS);
    this.description = `${JSON.stringify(describe(name, this.layout, owner), undefined, 2)}\n`;
    if (!existsSync(path)) return;
    this.described = readIfThere(join(path, 'zarr.json'))?.toString('utf8') === this.description;
    if (this.described) removeTemporaries(path);
    else rmSync(path, { recursive: true, force: true });
  }

  get(block: number): number {
    const chunk = this.chunkOf(block);
    return chunk.values[block - chunk.first];
  }

  set(block: number, value: number): void {
    const chunk = this.chunkOf(block);
    const at = block - chunk.first;
    chunk.values[at] = value;
    if (at < chunk.low) chunk.low = at;
    if (at >= chunk.high) chunk.high = at + 1;
  }

  /** What was known of an earlier attempt is not true of the last one. Makes no array. */
  forget(block: number): void {
    if (this.described || this.chunks.size > 0)
      this.set(block, COSTS[this.name].dataType === 'float32' ? Number.NaN : 0);
  }

  /** Writes what changed to the files. Throws the system's error. */
  flush(): void {
    for (const chunk of this.chunks.values()) this.write(chunk);
  }

  private chunkOf(block: number): Chunk {
    const { current } = this;
    if (current !== undefined && block >= current.first && block < current.first + current.count) return current;
    const { chunk: key } = this.layout.placeOf(block);
    const chunk = this.chunks.get(key) ?? this.load(key);
    // the one that was used last comes last
    this.chunks.delete(key);
    this.chunks.set(key, chunk);
    if (this.chunks.size > CHUNKS_IN_MEMORY) {
      const [[oldest, leaving]] = this.chunks;
      this.write(leaving);
      this.chunks.delete(oldest);
    }
    this.current = chunk;
    return chunk;
  }

  private load(key: number): Chunk {
    const file = join(this.path, this.layout.keyOf(key));
    const { first, count } = this.layout.blocksOf(key);
    const cells = this.layout.chunkBytes;
    const float = COSTS[this.name].dataType === 'float32';
    const values = float ? new Float32Array(cells).fill(Number.NaN) : new Uint8Array(cells);
    const bytes = this.described ? readIfThere(file) : undefined;
    // a power failure may have cut it
    const stored = bytes !== undefined && bytes.byteLength === values.byteLength;
    if (stored) new Uint8Array(values.buffer).set(bytes);
    return { file, first, count, values, stored, low: cells, high: 0 };
  }

  private write(chunk: Chunk): void {
    if (chunk.low >= chunk.high) return;
    if (!this.described) {
      mkdirSync(this.path, { recursive: true });
      replaceFile(join(this.path, 'zarr.json'), this.description);
      this.described = true;
    }
    const { values, low, high } = chunk;
    const size = values.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array(values.buffer);
    if (chunk.stored) {
      writeAt(chunk.file, bytes.subarray(low * size, high * size), low * size);
    } else {
      mkdirSync(dirname(chunk.file), { recursive: true });
      replaceFile(chunk.file, bytes, this.path);
      chunk.stored = true;
    }
    chunk.low = values.length;
    chunk.high = 0;
  }
}

function describe(name: CostName, layout: DoneRecordLayout, { task, planHash, world }: CostOwner): object {
  const { dataType, unit, meaning } = COSTS[name];
  const float = dataType === 'float32';
  const endian = endianness() === 'LE' ? 'little' : 'big';
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: layout.shape,
    data_type: dataType,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: layout.chunkShape } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: float ? 'NaN' : 0,
    codecs: [float ? { name: 'bytes', configuration: { endian } } : { name: 'bytes' }],
    attributes: { ...world, blockwright: { task, planHash, cost: name, unit, meaning } },
  };
}

function writeAt(path: string, bytes: Uint8Array, position: number): void {
  const file = openSync(path, 'r+');
  try {
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at, bytes.byteLength - at, position + at);
  } finally {
    closeSync(file);
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
