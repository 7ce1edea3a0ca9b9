import { BlockwrightError } from '../errors.js';

/** Bytes a frame may have before its sender has proved that it knows the run's key. */
export const STRANGER_LIMIT = 4096;
/** Bytes a frame may have afterwards. */
export const FRAME_LIMIT = 64 * 1024 * 1024;

const PREFIX = 8;

/** One message on the wire: a JSON header and bytes. */
export interface Frame {
  readonly header: unknown;
  /** Starts at the beginning of its own buffer, so typed arrays of any width can be laid over it. */
  readonly payload: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/**
 * A frame as the buffers to write: u32 bytes that follow this number | u32 bytes of the header | header | payload,
 * numbers big-endian. The payload is not copied.
 */
export function encodeFrame(header: object, payload: Uint8Array = EMPTY): Uint8Array[] {
  const text = JSON.stringify(header);
  const length = Buffer.byteLength(text);
  const total = 4 + length + payload.byteLength;
  if (total > FRAME_LIMIT) {
    throw new BlockwrightError('ERR_LIMIT', `frame: expected at most ${FRAME_LIMIT} bytes, found ${total}`);
  }
  const head = Buffer.allocUnsafe(PREFIX + length);
  head.writeUInt32BE(total, 0);
  head.writeUInt32BE(length, 4);
  head.write(text, PREFIX, 'utf8');
  return payload.byteLength === 0 ? [head] : [head, payload];
}

/** Cuts a stream of bytes into frames. Holds at most one unfinished frame, within the limit. */
export class FrameDecoder {
  private readonly prefix = Buffer.alloc(PREFIX);
  private prefixFilled = 0;
  private head: Uint8Array = EMPTY;
  private headFilled = 0;
  private payload: Uint8Array = EMPTY;
  private payloadFilled = 0;

  constructor(public limit: number = STRANGER_LIMIT) {}

  /** Whether the stream is in the midst of a frame. */
  get unfinished(): boolean {
    return this.prefixFilled > 0;
  }

  /**
   * Takes the next bytes and calls `onFrame` for every frame that they complete; `onFrame` may change the limit.
   * Throws ERR_PROTOCOL for a frame beyond the limit, of impossible lengths or without a JSON header; the stream is
   * then of no more use.
   */
  push(bytes: Uint8Array, onFrame: (frame: Frame) => void): void {
    let at = 0;
    for (;;) {
      if (this.prefixFilled < PREFIX) {
        const part = bytes.subarray(at, at + PREFIX - this.prefixFilled);
        this.prefix.set(part, this.prefixFilled);
        this.prefixFilled += part.byteLength;
        at += part.byteLength;
        // the first four bytes are enough to refuse
        if (this.prefixFilled >= 4) this.checkTotal(this.prefix.readUInt32BE(0));
        if (this.prefixFilled < PREFIX) return;
        this.beginFrame();
      }
      at += fill(this.head, this.headFilled, bytes, at, (filled) => {
        this.headFilled = filled;
      });
      if (this.headFilled < this.head.byteLength) return;
      at += fill(this.payload, this.payloadFilled, bytes, at, (filled) => {
        this.payloadFilled = filled;
      });
      if (this.payloadFilled < this.payload.byteLength) return;
      const frame = { header: parseHeader(this.head), payload: this.payload };
      this.prefixFilled = 0;
      this.head = EMPTY;
      this.payload = EMPTY;
      onFrame(frame);
    }
  }

  private checkTotal(total: number): void {
    if (total > this.limit) {
      throw new BlockwrightError(
        'ERR_PROTOCOL',
        `frame: expected at most ${this.limit} bytes, found a length of ${total}`,
      );
    }
  }

  private beginFrame(): void {
    const total = this.prefix.readUInt32BE(0);
    const length = this.prefix.readUInt32BE(4);
    if (length > total - 4) {
      throw new BlockwrightError('ERR_PROTOCOL', `frame: a header of ${length} bytes in a frame of ${total}`);
    }
    this.head = new Uint8Array(length);
    this.headFilled = 0;
    this.payload = total - 4 === length ? EMPTY : new Uint8Array(total - 4 - length);
    this.payloadFilled = 0;
  }
}

/** Copies what fits of `bytes` from `at` into `target`; returns how many bytes. */
function fill(
  target: Uint8Array,
  filled: number,
  bytes: Uint8Array,
  at: number,
  advance: (filled: number) => void,
): number {
  const count = Math.min(target.byteLength - filled, bytes.byteLength - at);
  if (count > 0) {
    target.set(bytes.subarray(at, at + count), filled);
    advance(filled + count);
  }
  return count;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function parseHeader(bytes: Uint8Array): unknown {
  let text: string;
  let header: unknown;
  try {
    text = decoder.decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw new BlockwrightError('ERR_PROTOCOL', 'frame: the header is no JSON in UTF-8', {}, { cause: error });
  }
  // JSON.parse makes `__proto__` an own key, which is harmless until someone copies the object: refused here, once.
  if ((text.includes('__proto__') || text.includes('\\u')) && hasPrototypeKey(header)) {
    throw new BlockwrightError('ERR_PROTOCOL', 'frame: the header has a key __proto__');
  }
  return header;
}

function hasPrototypeKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!Array.isArray(value) && Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some(hasPrototypeKey);
}
