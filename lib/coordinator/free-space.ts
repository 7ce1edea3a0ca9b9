import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../errors.js';

/** What one file system has. */
export interface SpaceFacts {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeFiles: number;
  /** 0 where files are not counted. */
  readonly totalFiles: number;
}

export interface FreeSpaceOptions {
  /** Files and folders whose file systems are watched; where one does not exist yet, the folder that is there. @default none */
  readonly paths?: readonly string[] | undefined;
  /** Bytes below which no more blocks are begun; 0: never. @default 1 GiB, at most 5 % of the file system */
  readonly minimumBytes?: number | undefined;
  /** Seconds, all pauses together, after which the run stops. @default 86 400 */
  readonly patienceSeconds?: number | undefined;
  /** @default 2 */
  readonly intervalSeconds?: number | undefined;
  /** @default the system's statfs */
  readonly measure?: ((path: string) => Promise<SpaceFacts>) | undefined;
}

const GIBIBYTE = 2 ** 30;
const SHARE = 0.05;
/** Files that a file system must have room for; at most the same share of all. */
const FILES = 1000;
/** Milliseconds in which a file system says how much is left. */
const ANSWER = 5000;

/** Watches how much space is left, and says when there is too little to begin anything. */
export class FreeSpace {
  /** What is short, in words; undefined while there is enough. */
  shortage: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> | undefined;
  private pausedBefore = 0;
  private pausedSince = 0;

  constructor(
    private readonly options: FreeSpaceOptions,
    /** There is too little, or enough again. */
    private readonly onChange: () => void,
    private readonly time: () => number = () => performance.now(),
  ) {}

  /** Whether its patience is at an end. */
  get spent(): boolean {
    const paused = this.pausedBefore + (this.shortage === undefined ? 0 : this.time() - this.pausedSince);
    return paused > (this.options.patienceSeconds ?? 86_400) * 1000;
  }

  /** Resolves when it was measured once. */
  async start(): Promise<void> {
    const { minimumBytes, intervalSeconds = 2 } = this.options;
    if (minimumBytes === 0) return;
    this.timer = setInterval(() => void this.check(), intervalSeconds * 1000);
    await this.check();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Measures now. A file system that cannot be asked, or does not answer, is not taken for full. */
  check(): Promise<void> {
    this.checking ??= this.look().finally(() => {
      this.checking = undefined;
    });
    return this.checking;
  }

  private async look(): Promise<void> {
    if (this.timer === undefined) return;
    let found: string | undefined;
    for (const path of this.options.paths ?? []) found ??= await this.shortageOf(path);
    if (this.timer === undefined || (found === undefined) === (this.shortage === undefined)) return;
    if (found === undefined) this.pausedBefore += this.time() - this.pausedSince;
    this.pausedSince = this.time();
    this.shortage = found;
    this.onChange();
  }

  private async shortageOf(path: string): Promise<string | undefined> {
    // a file server that is gone may let one wait without end
    const silence = new AbortController();
    const facts = await Promise.race([
      (this.options.measure ?? measure)(path).catch(() => undefined),
      delay(ANSWER, undefined, { signal: silence.signal, ref: false }).catch(() => undefined),
    ]);
    silence.abort();
    if (facts === undefined) return undefined;
    const { freeBytes, totalBytes, freeFiles, totalFiles } = facts;
    const { minimumBytes = Math.min(GIBIBYTE, SHARE * totalBytes) } = this.options;
    if (freeBytes < minimumBytes) return `${bytes(freeBytes)} free at ${path}, expected ${bytes(minimumBytes)}`;
    const files = Math.min(FILES, SHARE * totalFiles);
    if (freeFiles < files) return `room for ${freeFiles} files at ${path}, expected ${Math.ceil(files)}`;
    return undefined;
  }
}

/** Of the nearest folder above that exists. */
async function measure(path: string): Promise<SpaceFacts> {
  try {
    const { bavail, bsize, blocks, ffree, files } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeFiles: ffree, totalFiles: files };
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return measure(dirname(path));
  }
}

function bytes(count: number): string {
  return count >= GIBIBYTE ? `${(count / GIBIBYTE).toFixed(1)} GiB` : `${(count / 2 ** 20).toFixed(1)} MiB`;
}
