import { Worker } from 'node:worker_threads';
import type { Credentials } from '../coordinator/control-folder.js';

/** What the thread of the heartbeat is given. */
export interface HeartbeatData {
  readonly credentials: Credentials;
  readonly workerId: string;
  readonly seconds: number;
  /** Two entries: the lease at work, 0 for none; the one that the last sign of life named. */
  readonly running: Int32Array;
}

/** Signs of life from a thread of its own, which neither kernels nor a busy event loop can hold up. */
export class Heartbeat {
  private readonly running = new Int32Array(new SharedArrayBuffer(8));
  private readonly thread: Worker;

  constructor(credentials: Credentials, workerId: string, seconds: number) {
    const workerData: HeartbeatData = { credentials, workerId, seconds, running: this.running };
    this.thread = new Worker(new URL('./heartbeat-thread.js', import.meta.url), { workerData });
    this.thread.unref();
    // without a sign of life this worker is soon ended
    this.thread.on('error', (error) => console.error('heartbeat:', error));
  }

  /** Says which lease is at work. */
  show(lease: number): void {
    Atomics.store(this.running, 0, lease);
  }

  /** Whether a sign of life named a lease, now that it is at work no more. */
  named(lease: number): boolean {
    return Atomics.load(this.running, 1) === lease;
  }

  async stop(): Promise<void> {
    await this.thread.terminate();
  }
}
