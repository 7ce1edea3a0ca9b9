import { FetchStore } from 'zarrita';
import { BlockwrightError } from '../errors.js';
import type { Address } from './address.js';
import { MAX_METADATA_BYTES, parseDocument } from './array-folder.js';
import type { ByteRange } from './byte-range.js';
import type { Document } from './document.js';
import type { DocumentSource } from './document-source.js';
import { type Errand, HttpClient, type HttpOptions, type HttpService } from './http-client.js';
import { bucketUrl, type Environment, s3Service } from './s3-service.js';

export interface RemoteOptions extends HttpOptions {
  /** Where endpoint, region and keys of S3 are looked up. @default this process's environment */
  readonly environment?: Environment;
}

const PLAIN_HTTP: HttpService = {
  prepare: async (request) => request,
  redirect: 'follow',
  reasonOf: () => undefined,
  meansMissing: () => true,
};

/** A file or a part of one. */
export interface RemotePart {
  readonly bytes: Uint8Array;
  /** Of the whole file, where the server says it. */
  readonly fileSize: number | undefined;
}

/** Files of an HTTP(S) or S3-compatible server, by their addresses. */
export class RemoteStore implements DocumentSource {
  private readonly client: HttpClient;
  private readonly base: string;
  private suffixesKnown = true;
  /** The first file whose reading was forbidden, where metadata was looked for. */
  private forbidden: BlockwrightError | undefined;

  constructor(
    private readonly address: Address,
    options: RemoteOptions = {},
  ) {
    const environment = options.environment ?? process.env;
    const isS3 = address.scheme === 's3';
    this.base = isS3 ? bucketUrl(address, environment) : address.root;
    this.client = new HttpClient(isS3 ? s3Service(environment) : PLAIN_HTTP, options);
  }

  /** A whole file; undefined when there is none. */
  async get(errand: Errand): Promise<RemotePart | undefined> {
    const bytes = await this.fetchStore(errand).get(this.keyOf(errand.address));
    return bytes && { bytes, fileSize: bytes.length };
  }

  /** A part of a file: fewer bytes where the file ends before; undefined when there is no file. */
  async getRange(errand: Errand, range: ByteRange): Promise<RemotePart | undefined> {
    if ('length' in range && range.length === 0) return { bytes: new Uint8Array(0), fileSize: undefined };
    if ('suffixLength' in range && !this.suffixesKnown) return this.getEnd(errand, range.suffixLength);
    let fileSize: number | undefined;
    let refused = false;
    const store = this.fetchStore(errand, (response) => {
      fileSize = fileSizeOf(response);
      refused = response.status !== 404 && response.status !== 206 && 'suffixLength' in range;
      return refused ? new Response(null, { status: 404 }) : response;
    });
    const bytes = await store.getRange(this.keyOf(errand.address), range);
    if (refused && 'suffixLength' in range) return this.getEnd(errand, range.suffixLength);
    return bytes && { bytes, fileSize };
  }

  /** The end of a file, for servers that do not know suffix ranges. */
  private async getEnd(errand: Errand, length: number): Promise<RemotePart | undefined> {
    const request = new Request(new URL(this.keyOf(errand.address).slice(1), `${this.base}/`), { method: 'HEAD' });
    const response = await this.client.send(request, errand);
    if (response.status === 404) return undefined;
    const size = Number(response.headers.get('Content-Length') ?? Number.NaN);
    if (!Number.isSafeInteger(size)) {
      const message = `reading ${errand.address}: the server knows neither suffix ranges nor the file's size`;
      throw new BlockwrightError('ERR_IO', message, { path: errand.address });
    }
    // An empty file has no range, whatever the server knows.
    if (size === 0) return { bytes: new Uint8Array(0), fileSize: 0 };
    this.suffixesKnown = false;
    const part = await this.getRange(errand, { offset: Math.max(0, size - length), length: Math.min(size, length) });
    return part && { bytes: part.bytes, fileSize: size };
  }

  async read(folder: string, name: string): Promise<Document | undefined> {
    const address = this.child(folder, name);
    const bytes = await this.getDocument(address);
    return bytes === undefined ? undefined : parseDocument(address, bytes);
  }

  async exists(folder: string, name: string): Promise<boolean> {
    return (await this.getDocument(this.child(folder, name))) !== undefined;
  }

  split(folder: string): { readonly folder: string; readonly name: string } | undefined {
    const slash = folder.lastIndexOf('/');
    if (slash < this.address.root.length) return undefined;
    const name = folder.slice(slash + 1);
    return { folder: folder.slice(0, slash), name: this.address.scheme === 's3' ? name : decodeURIComponent(name) };
  }

  /** There are no folders, only files. What is said to be missing may only have been forbidden: then that is thrown. */
  async isFolder(): Promise<undefined> {
    if (this.forbidden !== undefined) throw this.forbidden;
    return undefined;
  }

  child(folder: string, name: string): string {
    return `${folder}/${this.address.scheme === 's3' ? name : name.split('/').map(encodeURIComponent).join('/')}`;
  }

  /** Servers that do not let everyone list a bucket answer 403 for what is not there; so metadata that is forbidden is none. */
  private async getDocument(address: string): Promise<Uint8Array | undefined> {
    try {
      return (await this.get({ address, limit: MAX_METADATA_BYTES }))?.bytes;
    } catch (error) {
      if (!(error instanceof BlockwrightError) || error.details.status !== 403) throw error;
      this.forbidden ??= error;
      return undefined;
    }
  }

  private fetchStore(errand: Errand, judge = (response: Response): Response => response): FetchStore {
    return new FetchStore(this.base, {
      fetch: async (request) => judge(await this.client.send(request, errand)),
      useSuffixRequest: true,
    });
  }

  /** The key of zarrita: after its first slash it is resolved as a relative URL, so it must not look like a whole one. */
  private keyOf(address: string): `/${string}` {
    const path = address.slice(this.address.root.length + 1);
    return `/./${this.address.scheme === 's3' ? path.split('/').map(encodeURIComponent).join('/') : path}`;
  }
}

function fileSizeOf({ status, headers }: Response): number | undefined {
  const total =
    status === 206 ? /\/(\d+)$/.exec(headers.get('Content-Range') ?? '')?.[1] : headers.get('Content-Length');
  return total === undefined || total === null ? undefined : Number(total);
}
