import { closeSync, existsSync, fdatasync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from '../errors.js';
import { canonicalJson } from './canonical-json.js';
import { type BytePlace, DoneRecordLayout } from './done-record-layout.js';
import {
  checkTask,
  damagedRecord,
  describeRecord,
  isOfPlan,
  planChanged,
  RecordedState,
  type RecordIdentity,
  readDescription,
} from './done-record-metadata.js';
import { makeFolderDurably, removeTemporaries, writeDurably } from './durable-file.js';

/** Chunk files that are open at once. */
const OPEN_CHUNKS = 64;

const sync = promisify(fdatasync);

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
    /** Hears how many blocks, from the first on, {@link reset} has looked at so far. */
    private readonly onRead: (blocks: number) => void,
  ) {}

  /** Throws what {@link open} would for another plan, or for damage of the description; changes nothing. */
  static check(path: string, whose: RecordIdentity): void {
    const file = join(path, 'zarr.json');
    if (!existsSync(file)) return;
    const found = readDescription(file);
    checkTask(file, found, whose);
    if (!isOfPlan(found, whose) && hasSuccess(path)) throw planChanged(dirname(path), found, whose);
  }

  /**
   * Opens a task's record or makes an empty one. Throws ERR_PLAN_CHANGED, naming what differs, when the record has done
   * blocks of another plan (one without any is replaced), and ERR_METADATA when its description is damaged.
   */
  static open(
    path: string,
    shape: readonly number[],
    whose: RecordIdentity,
    onRead = (_: number): void => undefined,
  ): DoneRecord {
    const layout = new DoneRecordLayout(shape);
    const file = join(path, 'zarr.json');
    const chunks = join(path, 'c');
    if (existsSync(file)) {
      removeTemporaries(path);
      const found = readDescription(file);
      checkTask(file, found, whose);
      if (isOfPlan(found, whose)) {
        if (
          canonicalJson(found.shape) !== canonicalJson(shape) ||
          canonicalJson(found.chunk_grid.configuration.chunk_shape) !== canonicalJson(layout.chunkShape)
        ) {
          throw damagedRecord(
            'ERR_METADATA',
            file,
            `expected shape [${shape}] in chunks of [${layout.chunkShape}], ` +
              `found [${found.shape}] in [${found.chunk_grid.configuration.chunk_shape}]`,
          );
        }
        return new DoneRecord(path, layout, true, onRead);
      }
      if (hasSuccess(path)) throw planChanged(dirname(path), found, whose);
      rmSync(chunks, { recursive: true, force: true });
    } else if (existsSync(chunks)) {
      // whose they are cannot be told
      throw damagedRecord('ERR_METADATA', file, "expected the array's description, found none");
    }
    makeFolderDurably(path);
    // of one that was killed before it had written the description
    removeTemporaries(path);
    writeDurably(file, `${JSON.stringify(describeRecord(layout, whose), undefined, 2)}\n`);
    return new DoneRecord(path, layout, false, onRead);
  }

  /**
   * The states of all blocks, in the order of their indices, or undefined when nothing is recorded. Throws
   * ERR_CHUNK_CORRUPT for a chunk that is cut or has impossible bytes. Peak memory 1 byte a block and one chunk.
   */
  read(): Uint8Array | undefined {
    let states: Uint8Array | undefined;
    for (let chunk = 0; chunk < this.layout.chunks; chunk++) {
      const bytes = readChunk(this.path, this.layout, chunk);
      if (bytes === undefined) continue;
      const { first, count } = this.layout.blocksOf(chunk);
      states ??= new Uint8Array(this.layout.shape.reduce((product, size) => product * size, 1));
      states.set(bytes.subarray(0, count), first);
    }
    return states;
  }

  /**
   * Sets the bytes of blocks; neighbours that follow each other are written together. Survives this process at once, a
   * power failure after {@link flush}.
   */
  mark(blocks: Iterable<number>, state: RecordedState): void {
    let first: BytePlace | undefined;
    let count = 0;
    for (const block of blocks) {
      const place = this.layout.placeOf(block);
      if (first?.chunk === place.chunk && first.offset + count === place.offset) {
        count++;
        continue;
      }
      if (first !== undefined) this.write(first, count, state);
      first = place;
      count = 1;
    }
    if (first !== undefined) this.write(first, count, state);
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

  /**
   * Takes failed and orphaned marks back: those blocks are tried again. Returns the states as {@link read} does. Reads chunk
   * by chunk and lets others have their turn in between.
   */
  async reset(): Promise<Uint8Array | undefined> {
    let states: Uint8Array | undefined;
    for (let chunk = 0; chunk < this.layout.chunks; chunk++) {
      const bytes = readChunk(this.path, this.layout, chunk);
      if (bytes === undefined) continue;
      const { first, count } = this.layout.blocksOf(chunk);
      const found = bytes.subarray(0, count);
      this.mark(takeBack(found, first), RecordedState.pending);
      states ??= new Uint8Array(this.layout.shape.reduce((product, size) => product * size, 1));
      states.set(found, first);
      this.onRead(first + count);
      await new Promise(setImmediate);
    }
    await this.flush();
    return states;
  }

  close(): void {
    for (const file of this.files.values()) closeSync(file);
    this.files.clear();
  }

  private write({ chunk, offset }: BytePlace, count: number, state: RecordedState): void {
    const file = this.file(chunk);
    const bytes = new Uint8Array(count).fill(state);
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
    makeFolderDurably(dirname(path));
    writeDurably(path, new Uint8Array(this.layout.chunkBytes), this.path);
  }

  private closeOne(): void {
    const closable = [...this.files.keys()].filter((chunk) => !this.syncing.has(chunk));
    const chunk = closable.find((one) => !this.unsynced.has(one)) ?? closable[0];
    if (chunk === undefined) return;
    const file = this.files.get(chunk)!;
    if (this.unsynced.delete(chunk)) fdatasyncSync(file);
    closeSync(file);
    this.files.delete(chunk);
  }
}

/** Makes failed and orphaned blocks pending, of those from `first`; gives their indices. */
function* takeBack(states: Uint8Array, first: number): Generator<number> {
  for (let block = 0; block < states.length; block++) {
    if (states[block] !== RecordedState.failed && states[block] !== RecordedState.orphaned) continue;
    states[block] = RecordedState.pending;
    yield first + block;
  }
}

/**
 * The states of a record's blocks, chunk by chunk where something is recorded; nothing when there is no record. For
 * readers beside the coordinator. Errors as {@link DoneRecord.read}.
 */
export function* readRecordedStates(path: string): Generator<Uint8Array> {
  const file = join(path, 'zarr.json');
  if (!existsSync(file)) return;
  const layout = new DoneRecordLayout(readDescription(file).shape);
  for (let chunk = 0; chunk < layout.chunks; chunk++) {
    const bytes = readChunk(path, layout, chunk);
    if (bytes !== undefined) yield bytes.subarray(0, layout.blocksOf(chunk).count);
  }
}

/** The same as one array of `count` states in the order of the blocks' indices; 0 where nothing is recorded. */
export function readRecordedBlocks(path: string, count: number): Uint8Array {
  const states = new Uint8Array(count);
  const file = join(path, 'zarr.json');
  if (!existsSync(file)) return states;
  const layout = new DoneRecordLayout(readDescription(file).shape);
  for (let chunk = 0; chunk < layout.chunks; chunk++) {
    const bytes = readChunk(path, layout, chunk);
    const { first, count: held } = layout.blocksOf(chunk);
    if (bytes !== undefined) states.set(bytes.subarray(0, held), first);
  }
  return states;
}

/** Whether any block is done or skipped in a record, if there is one. Errors as {@link DoneRecord.read}. */
export function hasSuccess(path: string): boolean {
  for (const states of readRecordedStates(path)) {
    if (states.includes(RecordedState.done) || states.includes(RecordedState.skipped)) return true;
  }
  return false;
}

function readChunk(record: string, layout: DoneRecordLayout, chunk: number): Uint8Array | undefined {
  const path = join(record, layout.keyOf(chunk));
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (bytes.byteLength !== layout.chunkBytes) {
    throw damagedRecord('ERR_CHUNK_CORRUPT', path, `expected ${layout.chunkBytes} bytes, found ${bytes.byteLength}`);
  }
  const bad = bytes.findIndex((byte) => byte > RecordedState.masked);
  if (bad >= 0) {
    throw damagedRecord(
      'ERR_CHUNK_CORRUPT',
      path,
      `expected bytes of 0 to ${RecordedState.masked}, found ${bytes[bad]} at ${bad}`,
    );
  }
  return bytes;
}
