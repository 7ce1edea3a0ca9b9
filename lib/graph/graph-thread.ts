import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { BlockwrightError, type ErrorCode, messageOf } from '../errors.js';
import type { GraphMessage } from './graph-messages.js';
import { RemoteGraphStore } from './remote-graph-store.js';

/** What the thread is told: a request, the wish for the next piece of its answer, or that no more are wanted. */
export type ToGraphThread =
  | { readonly id: number; readonly header: unknown; readonly payload: Uint8Array }
  | { readonly id: number; readonly command: 'next' | 'stop' | 'close' };

/** What the thread says: a piece, the end, or an error. */
export type FromGraphThread =
  | { readonly id: number; readonly header: unknown; readonly payload: Uint8Array }
  | { readonly id: number; readonly end: true }
  | { readonly id: number; readonly error: { code: string | undefined; message: string; details: unknown } };

interface Waiting {
  readonly resolve: (message: FromGraphThread) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A {@link SqliteGraphStore} in a thread of its own, so that this one's event loop never waits for the disk. Columns are
 * copied once when written; pieces of answers are transferred.
 */
export class ThreadedGraphStore extends RemoteGraphStore {
  private readonly thread: GraphThread;

  /** @param path the SQLite file, see {@link SqliteGraphStore} */
  constructor(path: string) {
    const thread = new GraphThread(path);
    super((header, payload) => thread.call(header, payload));
    this.thread = thread;
  }

  /**
   * Passes on a request that came from another process, as {@link serveGraphRequest} does, without decoding it here.
   * A payload that is all of its ArrayBuffer is taken over.
   */
  serve(header: unknown, payload: Uint8Array): AsyncIterable<GraphMessage> {
    return this.thread.call(header, payload);
  }

  override close(): Promise<void> {
    return this.thread.close();
  }
}

class GraphThread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private ended: BlockwrightError | undefined;
  private closing: Promise<void> | undefined;
  private nextId = 0;

  constructor(private readonly path: string) {
    const main = fileURLToPath(new URL('./graph-thread-main.js', import.meta.url));
    this.worker = new Worker(main, { workerData: { path } });
    this.worker.unref(); // held only while an answer is awaited
    this.worker.on('message', (message: FromGraphThread) => this.settle(message));
    this.worker.on('error', (error) => this.end(messageOf(error)));
    this.worker.on('exit', () => this.end('it was closed'));
  }

  async *call(header: unknown, payload: Uint8Array): AsyncGenerator<GraphMessage> {
    if (this.closing !== undefined) throw this.endedError('it was closed');
    const id = this.nextId++;
    const whole = payload.byteLength === payload.buffer.byteLength && payload.byteLength > 0;
    const bytes = whole ? payload : payload.slice();
    let answer = await this.tell({ id, header, payload: bytes }, [bytes.buffer as ArrayBuffer]);
    try {
      while ('header' in answer) {
        yield { header: answer.header, payload: answer.payload };
        answer = await this.tell({ id, command: 'next' });
      }
    } finally {
      if ('header' in answer) this.worker.postMessage({ id, command: 'stop' } satisfies ToGraphThread);
    }
  }

  close(): Promise<void> {
    this.closing ??= this.tell({ id: this.nextId++, command: 'close' }).then(
      async () => {
        await this.worker.terminate();
      },
      (error) => {
        if (this.ended === undefined) throw error;
      },
    );
    return this.closing;
  }

  /** Sends a message; resolves with what the thread says next about its id. */
  private tell(message: ToGraphThread, transfer: readonly ArrayBuffer[] = []): Promise<FromGraphThread> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) {
        reject(this.ended);
        return;
      }
      this.waiting.set(message.id, { resolve, reject });
      this.worker.ref();
      this.worker.postMessage(message, transfer);
    });
  }

  private settle(message: FromGraphThread): void {
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (this.waiting.size === 0) this.worker.unref();
    if ('error' in message) {
      const { code, message: text, details } = message.error;
      waiting?.reject(
        new BlockwrightError((code ?? 'ERR_GRAPH') as ErrorCode, text, details as Record<string, unknown>),
      );
    } else waiting?.resolve(message);
  }

  private end(reason: string): void {
    this.ended ??= this.endedError(reason);
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
  }

  private endedError(reason: string): BlockwrightError {
    return new BlockwrightError(
      'ERR_GRAPH',
      `${this.path}: expected an open graph store, but its thread ended: ${reason}`,
    );
  }
}
