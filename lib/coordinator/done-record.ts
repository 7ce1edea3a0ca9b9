import { closeSync, existsSync, fdatasync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { BlockwrightError, codeOf } from '../errors.js';
import { canonicalJson, differences, hashOf } from './canonical-json.js';
import { type BytePlace, DoneRecordLayout } from './done-record-layout.js';
import { removeTemporaries, syncFolder, writeDurably } from './durable-file.js';

/** The bytes of a done record. */
export const RecordedState = { pending: 0, done: 1, skipped: 2, failed: 3, orphaned: 4 } as const;
export type RecordedState = (typeof RecordedState)[keyof typeof RecordedState];

/** Chunk files that are open at once. */
const OPEN_CHUNKS = 64;

const sync = promisify(fdatasync);

const METADATA = z.object({
  zarr_format: z.literal(3),
  node_type: z.literal('array'),
  shape: z.array(z.number().int().positive()).min(1),
  data_type: z.literal('uint8'),
  chunk_grid: z.object({
    name: z.literal('regular'),
    configuration: z.object({ chunk_shape: z.array(z.number().int().positive()) }),
  }),
  fill_value: z.literal(0),
  attributes: z.object({
    blockwright: z.object({ task: z.string(), planHash: z.string(), identity: z.unknown() }),
  }),
});

/** Whose record it is. */
export interface RecordIdentity {
  readonly task: string;
  /** Everything that decides the task's outcome, as JSON. */
  readonly identity: unknown;
}

/**
 * Which blocks of a task are done: a zarr v3 array of one byte a block in the shape of the block grid, which any zarr
 * reader can open. Only the coordinator writes it, in place; a mark counts once {@link flush} has resolved.
 *
 * Memory: nothing per block.
 */
export class DoneRecord {
  private readonly files = new Map<number, number>();
  private readonly unsynced = new Set<number>();
  private readonly syncing = new Set<number>();

  private constructor(
    /** The array's folder. */
    readonly path: string,
    private readonly layout: DoneRecordLayout,
    /** Whether it was there before. */
    readonly resumed: boolean,
  ) {}

  /**
   * Opens a task's record or makes an empty one. Throws ERR_PLAN_CHANGED, naming what differs, when the record is of
   * another plan, and ERR_METADATA when its description is damaged.
   */
  static open(path: string, shape: readonly number[], whose: RecordIdentity): DoneRecord {
    const layout = new DoneRecordLayout(shape);
    const file = join(path, 'zarr.json');
    if (existsSync(file)) {
      removeTemporaries(path);
      const found = readMetadata(file);
      checkIdentity(file, found.attributes.blockwright, whose);
      if (
        canonicalJson(found.shape) !== canonicalJson(shape) ||
        canonicalJson(found.chunk_grid.configuration.chunk_shape) !== canonicalJson(layout.chunkShape)
      ) {
        throw new BlockwrightError(
          'ERR_METADATA',
          `done record ${file}: expected shape [${shape}] in chunks of [${layout.chunkShape}], ` +
            `found [${found.shape}] in [${found.chunk_grid.configuration.chunk_shape}]`,
        );
      }
      return new DoneRecord(path, layout, true);
    }
    // chunks without a description: whose they are cannot be told
    if (existsSync(join(path, 'c'))) {
      throw new BlockwrightError('ERR_METADATA', `done record ${file}: expected the array's description, found none`);
    }
    mkdirSync(path, { recursive: true });
    writeDurably(file, `${JSON.stringify(metadataOf(layout, whose), undefined, 2)}\n`);
    return new DoneRecord(path, layout, false);
  }

  /**
   * The states of all blocks, in the order of their indices, or undefined when nothing is recorded. Throws
   * ERR_CHUNK_CORRUPT for a chunk that is cut or has impossible bytes. Peak memory 1 byte a block and one chunk.
   */
  read(): Uint8Array | undefined {
    let states: Uint8Array | undefined;
    for (let chunk = 0; chunk < this.layout.chunks; chunk++) {
      const bytes = this.readChunk(chunk);
      if (bytes === undefined) continue;
      const { first, count } = this.layout.blocksOf(chunk);
      states ??= new Uint8Array(this.layout.shape.reduce((product, size) => product * size, 1));
      states.set(bytes.subarray(0, count), first);
    }
    return states;
  }

  /** Sets the bytes of blocks, in ascending or any order. Survives this process at once, a power failure after {@link flush}. */
  mark(blocks: readonly number[], state: RecordedState): void {
    const places = blocks.map((block) => this.layout.placeOf(block));
    if (places.length > 1) places.sort((a, b) => a.chunk - b.chunk || a.offset - b.offset);
    for (let at = 0; at < places.length; ) {
      let end = at + 1;
      while (end < places.length && isNext(places[end - 1], places[end])) end++;
      const { chunk, offset } = places[at];
      this.write(chunk, new Uint8Array(end - at).fill(state), offset);
      at = end;
    }
  }

  /** Resolves when everything that was marked before the call is on disk. */
  async flush(): Promise<void> {
    const chunks = [...this.unsynced];
    this.unsynced.clear();
    for (const chunk of chunks) this.syncing.add(chunk);
    try {
      await Promise.all(chunks.map((chunk) => sync(this.file(chunk))));
    } finally {
      for (const chunk of chunks) this.syncing.delete(chunk);
    }
  }

  /** Takes failed and orphaned marks back: those blocks are tried again. Returns the states as {@link read} does. */
  async reset(): Promise<Uint8Array | undefined> {
    const states = this.read();
    if (states === undefined) return undefined;
    const again: number[] = [];
    for (let block = 0; block < states.length; block++) {
      if (states[block] <= RecordedState.skipped) continue;
      states[block] = RecordedState.pending;
      again.push(block);
    }
    this.mark(again, RecordedState.pending);
    await this.flush();
    return states;
  }

  close(): void {
    for (const file of this.files.values()) closeSync(file);
    this.files.clear();
  }

  private readChunk(chunk: number): Uint8Array | undefined {
    const path = join(this.path, this.layout.keyOf(chunk));
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    if (bytes.byteLength !== this.layout.chunkBytes) {
      throw new BlockwrightError(
        'ERR_CHUNK_CORRUPT',
        `done record ${path}: expected ${this.layout.chunkBytes} bytes, found ${bytes.byteLength}`,
      );
    }
    const bad = bytes.findIndex((byte) => byte > RecordedState.orphaned);
    if (bad >= 0) {
      throw new BlockwrightError(
        'ERR_CHUNK_CORRUPT',
        `done record ${path}: expected bytes of 0 to ${RecordedState.orphaned}, found ${bytes[bad]} at ${bad}`,
      );
    }
    return bytes;
  }

  private write(chunk: number, bytes: Uint8Array, offset: number): void {
    const file = this.file(chunk);
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at, bytes.byteLength - at, offset + at);
    this.unsynced.add(chunk);
  }

  /** The open file of a chunk; a chunk that is not there yet is first made whole, so that it never looks cut. */
  private file(chunk: number): number {
    const known = this.files.get(chunk);
    if (known !== undefined) return known;
    if (this.files.size >= OPEN_CHUNKS) this.closeOne();
    const path = join(this.path, this.layout.keyOf(chunk));
    if (!existsSync(path)) this.createChunk(path);
    const file = openSync(path, 'r+');
    this.files.set(chunk, file);
    return file;
  }

  private createChunk(path: string): void {
    const missing = mkdirSync(dirname(path), { recursive: true });
    writeDurably(path, new Uint8Array(this.layout.chunkBytes), this.path);
    // the new folders' entries, up to the one that was there
    for (let folder = dirname(path); missing !== undefined && folder !== this.path; folder = dirname(folder)) {
      syncFolder(dirname(folder));
    }
  }

  private closeOne(): void {
    for (const [chunk, file] of this.files) {
      if (this.unsynced.has(chunk) || this.syncing.has(chunk)) continue;
      closeSync(file);
      this.files.delete(chunk);
      return;
    }
  }
}

function isNext(a: BytePlace, b: BytePlace): boolean {
  return a.chunk === b.chunk && a.offset + 1 === b.offset;
}

function metadataOf(layout: DoneRecordLayout, whose: RecordIdentity): object {
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: layout.shape,
    data_type: 'uint8',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: layout.chunkShape } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    codecs: [{ name: 'bytes' }],
    attributes: {
      states: RecordedState,
      blockwright: { task: whose.task, planHash: hashOf(whose.identity), identity: whose.identity },
    },
  };
}

function readMetadata(file: string): z.infer<typeof METADATA> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new BlockwrightError('ERR_METADATA', `done record ${file}: expected JSON`, {}, { cause: error });
  }
  const parsed = METADATA.safeParse(content);
  if (!parsed.success) {
    throw new BlockwrightError('ERR_METADATA', `done record ${file}: ${z.prettifyError(parsed.error)}`);
  }
  const { planHash, identity } = parsed.data.attributes.blockwright;
  if (planHash !== hashOf(identity)) {
    throw new BlockwrightError('ERR_METADATA', `done record ${file}: planHash is not the hash of the identity beside it`);
  }
  return parsed.data;
}

function checkIdentity(file: string, found: { task: string; planHash: string; identity?: unknown }, whose: RecordIdentity) {
  if (found.task !== whose.task) {
    throw new BlockwrightError(
      'ERR_PLAN_CHANGED',
      `done record ${file}: expected that of task ${whose.task}, found that of task ${found.task}`,
    );
  }
  if (found.planHash === hashOf(whose.identity)) return;
  const different = differences(found.identity, JSON.parse(canonicalJson(whose.identity)));
  const listed = different.map(({ key, before, after }) => `  ${key}: was ${show(before)}, is ${show(after)}`);
  throw new BlockwrightError(
    'ERR_PLAN_CHANGED',
    `task ${whose.task}: its blocks were begun with another plan. Use another run directory, or undo the change:\n` +
      listed.join('\n'),
    { task: whose.task, differences: different },
  );
}

function show(value: unknown): string {
  return value === undefined ? 'absent' : canonicalJson(value);
}
