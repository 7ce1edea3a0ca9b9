import { availableParallelism } from 'node:os';
import { isBlockwrightError } from '../errors.js';
import type { ChunkedArray } from './chunked-array.js';
import { factsOf, type TypedArray } from './data-type.js';
import { type StoredFile, storedFiles } from './stored-files.js';
import { boxesOf, boxWithin, type VoxelRange } from './voxel-boxes.js';

/** Something that was found in an array's folder. */
export interface Finding {
  /** `damaged`: voxels of the array cannot be read. The others are files that no reader looks at. */
  readonly kind: 'damaged' | 'beyond-grid' | 'temporary' | 'stray';
  /** Path of the array's folder. */
  readonly array: string;
  /** Chunk key (of the shard, where there is one), or the file's path in the array's folder. */
  readonly key: string;
  /** What is wrong. */
  readonly message: string;
  /** Damaged voxels, of all axes, where it is known which. */
  readonly voxels?: VoxelRange;
}

export interface VerifyProgress {
  /** Chunk files that were found so far. */
  readonly files: number;
  /** Bytes that were decoded. */
  readonly bytes: number;
  readonly damaged: number;
}

export interface VerifyOptions {
  /** Called for each finding, in no order; none is kept. */
  readonly onFinding?: (finding: Finding) => void;
  /** Called after each piece that was read. */
  readonly onProgress?: (progress: VerifyProgress) => void;
  readonly signal?: AbortSignal | undefined;
  /** Chunks that are read at once. @default the cores of the machine, at most 4 */
  readonly threads?: number | undefined;
}

/** What became of one array. */
export interface Verification extends VerifyProgress {
  readonly beyondGrid: number;
  readonly temporaries: number;
  readonly strays: number;
}

/** More of a shard is not decoded at once. */
const PIECE_BYTES = 16 * 2 ** 20;

const MESSAGES: Readonly<Record<Exclude<StoredFile['kind'], 'chunk'>, string>> = {
  'in-the-way': 'a file lies in place of a folder of chunks',
  'broken-link': 'a link that leads nowhere',
  'beyond-grid': 'a chunk outside the shape of the array',
  temporary: 'a temporary file of a writer',
  stray: 'no chunk of the array',
};

/** Part of a chunk file that is decoded at once: the chunk, or some inner chunks of a shard. */
interface Piece {
  readonly file: StoredFile;
  readonly box: VoxelRange;
  readonly isFirst: boolean;
  /** What was told of the whole file, once: a shard's damaged index damages all its pieces. */
  readonly told: Set<string>;
}

/**
 * Reads every chunk that an array's folder holds, all inner chunks of its shards, and tells of each that is damaged; it does not
 * stop at one. Missing chunks are not damage. Memory: at most 16 MiB (or one chunk, where that is larger) a thread, and what
 * decoding needs.
 *
 * @throws ERR_IO when a folder cannot be listed; ERR_CANCELLED; ERR_ARRAY_MISSING when the array goes meanwhile;
 *   ERR_OUT_OF_MEMORY
 */
export async function verifyArray(array: ChunkedArray, options: VerifyOptions = {}): Promise<Verification> {
  const { onFinding, onProgress, signal, threads = Math.min(4, availableParallelism()) } = options;
  const counts = { files: 0, bytes: 0, damaged: 0, beyondGrid: 0, temporaries: 0, strays: 0 };
  const { bytes, array: TypedArrayOfType } = factsOf(array.metadata.dataType);
  const { chunkShape } = array.metadata;
  const pieceShape = boxWithin(chunkShape, array.format.chunkShape, PIECE_BYTES / bytes);
  const pieceVoxels = pieceShape.reduce((product, extent, axis) => product * Math.min(extent, array.shape[axis]), 1);

  const tell = (kind: Finding['kind'], key: string, message: string, voxels?: VoxelRange) =>
    onFinding?.({ kind, array: array.path, key, message, ...(voxels === undefined ? {} : { voxels }) });
  const damage = ({ file }: Piece, message: string, voxels: VoxelRange) => {
    counts.damaged += 1;
    tell('damaged', file.key, message, voxels);
  };
  const sort = (file: StoredFile) => {
    const isDamage = file.kind === 'in-the-way' || file.kind === 'broken-link';
    if (isDamage) counts.damaged += 1;
    else if (file.kind === 'beyond-grid') counts.beyondGrid += 1;
    else if (file.kind === 'temporary') counts.temporaries += 1;
    else counts.strays += 1;
    const { kind, key } = file as StoredFile & { kind: Exclude<StoredFile['kind'], 'chunk'> };
    tell(isDamage ? 'damaged' : (kind as Finding['kind']), key, MESSAGES[kind]);
  };

  async function* pieces(): AsyncGenerator<Piece, void> {
    for await (const file of storedFiles(array)) {
      if (file.kind !== 'chunk') {
        sort(file);
        continue;
      }
      const told = new Set<string>();
      let isFirst = true;
      for (const box of boxesOf(voxelsOf(array, file.index), pieceShape)) {
        yield { file, box, isFirst, told };
        isFirst = false;
      }
    }
  }

  /** The failure of a read that is the chunk's own, or undefined. */
  const read = async (box: VoxelRange, memory: TypedArray): Promise<Error | undefined> => {
    const length = volume(box);
    try {
      const call = { into: memory.subarray(0, length), threads: 1, ...(signal === undefined ? {} : { signal }) };
      await array.readRegion(box.begin, box.end, call);
      counts.bytes += length * bytes;
      return undefined;
    } catch (error) {
      const own = isBlockwrightError(error) && (error.code === 'ERR_CHUNK_CORRUPT' || error.code === 'ERR_IO');
      if (own) return error;
      throw error;
    }
  };

  const queue = pieces();
  const verify = async (piece: Piece, memory: TypedArray): Promise<void> => {
    if (piece.isFirst) counts.files += 1;
    const failure = await read(piece.box, memory);
    if (failure === undefined) return;
    const inner = [...boxesOf(piece.box, chunkShape)];
    if (inner.length === 1) return damage(piece, reasonOf(failure), piece.box);
    // Which of the inner chunks it is, and whether it is the only one.
    const failed: { readonly box: VoxelRange; readonly message: string }[] = [];
    for (const box of inner) {
      const own = await read(box, memory);
      if (own !== undefined) failed.push({ box, message: reasonOf(own) });
    }
    const isWhole = failed.length === inner.length && new Set(failed.map(({ message }) => message)).size === 1;
    if (!isWhole) {
      for (const { box, message } of failed) damage(piece, message, box);
    } else if (!piece.told.has(failed[0].message)) {
      piece.told.add(failed[0].message);
      damage(piece, failed[0].message, voxelsOf(array, piece.file.index));
    }
  };
  let over = false;
  const work = async () => {
    // Reused from piece to piece: fresh memory is slow.
    let memory: TypedArray | undefined;
    try {
      for (let next = await queue.next(); next.done !== true && !over; next = await queue.next()) {
        memory ??= new TypedArrayOfType(pieceVoxels);
        await verify(next.value, memory);
        onProgress?.(counts);
      }
    } finally {
      over = true; // the queue is empty, or this one failed and the others need not go on
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.max(1, threads) }, work));
  await queue.return();
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return counts;
}

/** The voxels of a chunk file that lie inside the array. */
function voxelsOf(array: ChunkedArray, index: readonly number[]): VoxelRange {
  const extents = array.format.chunkShape;
  const begin = index.map((position, axis) => position * extents[axis]);
  return { begin, end: begin.map((first, axis) => Math.min(array.shape[axis], first + extents[axis])) };
}

/** What is wrong, without the chunk's name and the array's, which a finding has. */
function reasonOf({ message }: Error): string {
  const marker = ' is damaged: ';
  const at = message.indexOf(marker);
  return at < 0 ? message : message.slice(at + marker.length);
}

function volume({ begin, end }: VoxelRange): number {
  return begin.reduce((product, first, axis) => product * (end[axis] - first), 1);
}
