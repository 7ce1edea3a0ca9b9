/** Bytes of a chunk of a done record, at most. */
const CHUNK_BYTES = 2 ** 20;

/** Where a block's byte lies. */
export interface BytePlace {
  readonly chunk: number;
  readonly offset: number;
}

/**
 * How a grid of blocks is cut into chunks: into slabs, so that a chunk holds blocks of consecutive indices. Along the axes
 * before `axis` a chunk is one block wide, along `axis` it has `rows`, along the others everything.
 */
export class DoneRecordLayout {
  readonly chunkShape: readonly number[];
  readonly chunkBytes: number;
  /** How many chunks there are. */
  readonly chunks: number;
  private readonly chunkGrid: readonly number[];
  /** Blocks that follow each other along `axis` and what is inside it. */
  private readonly period: number;
  private readonly chunksPerPeriod: number;

  constructor(
    readonly shape: readonly number[],
    chunkBytes = CHUNK_BYTES,
  ) {
    let axis = shape.length - 1;
    let inner = 1;
    while (axis > 0 && inner * shape[axis] <= chunkBytes) {
      inner *= shape[axis];
      axis--;
    }
    const rows = Math.min(shape[axis], Math.max(1, Math.floor(chunkBytes / inner)));
    this.period = shape[axis] * inner;
    this.chunksPerPeriod = Math.ceil(shape[axis] / rows);
    this.chunkShape = shape.map((size, i) => (i < axis ? 1 : i === axis ? rows : size));
    this.chunkBytes = rows * inner;
    this.chunkGrid = shape.map((size, i) => Math.ceil(size / this.chunkShape[i]));
    this.chunks = this.chunkGrid.reduce((product, count) => product * count, 1);
  }

  placeOf(block: number): BytePlace {
    const outer = Math.floor(block / this.period);
    const within = block - outer * this.period;
    const part = Math.floor(within / this.chunkBytes);
    return { chunk: outer * this.chunksPerPeriod + part, offset: within - part * this.chunkBytes };
  }

  /** The blocks of a chunk: `count` of them, from `first`. The chunk's further bytes lie outside the grid. */
  blocksOf(chunk: number): { readonly first: number; readonly count: number } {
    const outer = Math.floor(chunk / this.chunksPerPeriod);
    const begin = (chunk - outer * this.chunksPerPeriod) * this.chunkBytes;
    return { first: outer * this.period + begin, count: Math.min(this.chunkBytes, this.period - begin) };
  }

  /** The chunk's key in the store, e.g. `c/0/3/0`. */
  keyOf(chunk: number): string {
    const position: number[] = [];
    let rest = chunk;
    for (let i = this.chunkGrid.length - 1; i >= 0; i--) {
      position.unshift(rest % this.chunkGrid[i]);
      rest = Math.floor(rest / this.chunkGrid[i]);
    }
    return ['c', ...position].join('/');
  }
}
