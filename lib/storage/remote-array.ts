import { BlockwrightError } from '../errors.js';
import { argumentError } from '../native/checks.js';
import { parseAddress } from './address.js';
import { MAX_METADATA_BYTES } from './array-folder.js';
import type { ArrayFormat } from './array-format.js';
import { fillValueOf } from './fill-value.js';
import type { ArrayMetadata } from './metadata.js';
import { readArray } from './open-array.js';
import type { RegionMemory } from './region-memory.js';
import { RegionVolume } from './region-volume.js';
import { RemoteChunks } from './remote-chunks.js';
import { type RemoteOptions, RemoteStore } from './remote-store.js';
import type { ReadOptions } from './volume.js';

export interface RemoteArrayOptions extends RemoteOptions {
  /** Bytes of chunks (as they are stored) and of shards' indexes that are kept in memory. @default 64 MiB */
  readonly cacheBytes?: number;
}

/**
 * A zarr array (v2 or v3) in a remote store: on an HTTP(S) server, or in a bucket of an S3-compatible one. It can only be read.
 *
 * Of a shard only the index and the inner chunks that are needed are fetched. Requests that fail in a way that may pass
 * are repeated. Memory: the cache, and for every request under way the stored bytes of a chunk or of up to 4 MiB of a shard.
 */
export class RemoteArray extends RegionVolume {
  protected override readonly nature = 'lies in a remote store';
  private readonly chunks: RemoteChunks;

  private constructor(
    /** Its address. */
    path: string,
    metadata: ArrayMetadata,
    readonly format: ArrayFormat,
    private readonly store: RemoteStore,
    { cacheBytes = 64 * 2 ** 20, concurrency = 16 }: RemoteArrayOptions,
  ) {
    super(path, metadata, fillValueOf(format.fill, metadata.dataType));
    this.chunks = new RemoteChunks(path, format, store, { cacheBytes, concurrency });
  }

  /**
   * Opens the array at an address: https://host/path, http://host/path or s3://bucket/key. For S3, the endpoint, region and keys
   * are those of the environment: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID,
   * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; without keys requests are anonymous.
   *
   * @throws ERR_ARGUMENT; ERR_ARRAY_MISSING; ERR_METADATA; ERR_UNSUPPORTED; ERR_LIMIT; ERR_IO with the address, and the status or
   *   the system's error
   */
  static async open(store: string, options: RemoteArrayOptions = {}): Promise<RemoteArray> {
    checkOptions(options);
    const address = parseAddress(store);
    const files = new RemoteStore(address, options);
    const { metadata, format } = await readArray(address.text, files);
    return new RemoteArray(address.text, metadata, format, files, options);
  }

  /** Bytes that its cache holds. */
  get cachedBytes(): number {
    return this.chunks.cachedBytes;
  }

  /** Chunks that the server does not have (404) are the fill value. */
  protected override async read(region: RegionMemory, { signal }: ReadOptions): Promise<void> {
    if (signal?.aborted) throw new BlockwrightError('ERR_CANCELLED', `reading ${this.path}: cancelled`);
    const missing = await this.chunks.read(region, signal);
    if (missing === 0) return;
    // Missing chunks are the fill value, but not when the array itself has gone.
    const name = this.format.zarrFormat === 3 ? 'zarr.json' : '.zarray';
    const errand = { address: this.store.child(this.path, name), limit: MAX_METADATA_BYTES, signal };
    if ((await this.store.get(errand)) !== undefined) return;
    this.chunks.clear();
    throw new BlockwrightError('ERR_ARRAY_MISSING', `${this.path}: the array was removed while it was open`, {
      path: this.path,
    });
  }
}

function checkOptions({ timeout, retries, concurrency, cacheBytes }: RemoteArrayOptions): void {
  if (timeout !== undefined && !(timeout > 0)) throw argumentError('timeout', 'a positive number of seconds', timeout);
  for (const [name, value, least] of [
    ['retries', retries, 0],
    ['concurrency', concurrency, 1],
    ['cacheBytes', cacheBytes, 0],
  ] as const) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) continue;
    throw argumentError(name, `a whole number from ${least}`, value);
  }
}
