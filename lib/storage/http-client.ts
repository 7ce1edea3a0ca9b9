import { setTimeout as wait } from 'node:timers/promises';
import { BlockwrightError } from '../errors.js';
import { type ByteRange, isPartOf, parseRange } from './byte-range.js';
import { RequestSlots } from './request-slots.js';
import { ResponseDeadline } from './response-deadline.js';

export interface HttpOptions {
  /**
   * Seconds in which a request must be answered; a long answer has a second more for every 64 KiB that arrived.
   * @default 30
   */
  readonly timeout?: number;
  /** How often a request is sent again after a failure that may pass. @default 4 */
  readonly retries?: number;
  /** Requests at once. @default 16 */
  readonly concurrency?: number;
  /**
   * Waits between two tries.
   * @default up to a half less, by chance, so that workers do not come back all at once
   */
  readonly wait?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** What is particular to a kind of server. */
export interface HttpService {
  /** Makes the request that is sent, e.g. a signed one. It is called once a try. */
  prepare(request: Request): Promise<Request>;
  /** Whether redirections are followed. */
  readonly redirect: 'follow' | 'manual';
  /** What the answer says of a failure beside its status; never a secret. */
  reasonOf(headers: Headers, body: string): string | undefined;
  /** Whether a 404 with this reason means that there is no such file. */
  meansMissing(reason: string | undefined): boolean;
}

/** One request: what it is for, and how much of an answer is read. */
export interface Errand {
  /** The file's address, for messages. */
  readonly address: string;
  /** Bytes; a longer body is refused (ERR_LIMIT). */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** A failure that may pass. */
class PassingFailure {
  constructor(
    readonly text: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    /** Milliseconds that the server asks for. */
    readonly retryAfter?: number,
  ) {}
}

const FIRST_DELAY = 200;
const LONGEST_DELAY = 60_000;
const LONGEST_REASON = 65_536;
/** How servers answer a suffix range that they do not know, or cannot give. */
const NO_SUFFIXES = [200, 400, 416, 501];

/**
 * Sends requests of the Fetch API and reads the answers whole, with time-outs, retries with exponential back-off, and a bound
 * on requests at once. Failures that pass are retried: of the network, 408, 429, 5xx, and bodies that were cut.
 */
export class HttpClient {
  private readonly timeout: number;
  private readonly retries: number;
  private readonly slots: RequestSlots;
  private readonly wait: NonNullable<HttpOptions['wait']>;

  constructor(
    private readonly service: HttpService,
    options: HttpOptions,
  ) {
    this.timeout = options.timeout ?? 30;
    this.retries = options.retries ?? 4;
    this.slots = new RequestSlots(options.concurrency ?? 16);
    this.wait = options.wait ?? ((delay, signal) => wait(delay * (1 - Math.random() / 2), undefined, { signal }));
  }

  /**
   * Resolves with an answer whose body has arrived: 200; 206, with no bytes where the range lies beyond the file's end; 404
   * where there is no such file. A range that was answered with the whole file is cut out of it. A suffix range may
   * be answered with 200, 400, 416 or 501, without a body: then it must be asked for as another range.
   *
   * @throws ERR_IO with the address and the status or the system's error; ERR_LIMIT; ERR_CANCELLED
   */
  send(request: Request, errand: Errand): Promise<Response> {
    return this.slots.use(async () => {
      for (let delay = FIRST_DELAY, tries = 1; ; delay *= 2, tries += 1) {
        if (errand.signal?.aborted) throw cancelled(errand);
        const outcome = await this.attempt(request, errand);
        if (!(outcome instanceof PassingFailure)) return outcome;
        if (tries > this.retries) {
          const times = tries === 1 ? '' : ` (${tries} tries)`;
          throw failure(errand, outcome.text + times, outcome.details);
        }
        try {
          await this.wait(Math.min(Math.max(delay, outcome.retryAfter ?? 0), LONGEST_DELAY), errand.signal);
        } catch (error) {
          if (errand.signal?.aborted) throw cancelled(errand);
          throw error;
        }
      }
    });
  }

  private async attempt(request: Request, errand: Errand): Promise<Response | PassingFailure> {
    const deadline = new ResponseDeadline(this.timeout, errand.signal);
    try {
      const headers = new Headers(request.headers);
      // Sizes are those of the file. With ranges, fetch itself says so, behind the back of a signature.
      if (!headers.has('Range')) headers.set('Accept-Encoding', 'identity');
      const prepared = await this.service.prepare(new Request(request, { headers }));
      const response = await fetch(prepared, { signal: deadline.signal, redirect: this.service.redirect });
      return await this.judge(response, prepared, errand, deadline);
    } catch (error) {
      if (error instanceof BlockwrightError) throw error;
      if (errand.signal?.aborted) throw cancelled(errand);
      if (deadline.passed)
        return new PassingFailure(`no whole answer within ${this.timeout} s`, { timeout: this.timeout });
      return networkFailure(error);
    } finally {
      deadline.end();
    }
  }

  private async judge(
    response: Response,
    request: Request,
    errand: Errand,
    deadline: ResponseDeadline,
  ): Promise<Response | PassingFailure> {
    const { status, headers } = response;
    const range = parseRange(request.headers.get('Range'));
    const ofSuffix = range !== undefined && 'suffixLength' in range;
    if (request.method === 'HEAD' && response.ok) return response;
    if (status === 206 || (status === 200 && !ofSuffix)) return readBody(response, range, errand, deadline);
    if (ofSuffix && NO_SUFFIXES.includes(status)) {
      await response.body?.cancel();
      return answer(status, headers);
    }
    if (range !== undefined && status === 416) {
      await response.body?.cancel();
      return answer(206, headers);
    }
    const reason = this.service.reasonOf(headers, await readReason(response));
    if (status === 404 && this.service.meansMissing(reason)) return answer(404, headers);
    const text = `the server answered ${`${status} ${response.statusText}`.trim()}${reason === undefined ? '' : ` (${reason})`}`;
    if (status === 408 || status === 429 || (status >= 500 && status !== 501)) {
      return new PassingFailure(text, { status }, retryAfter(headers));
    }
    throw failure(errand, text, { status });
  }
}

function answer(status: number, headers: Headers, bytes?: Uint8Array<ArrayBuffer>): Response {
  return new Response(bytes, { status, headers });
}

async function readBody(
  response: Response,
  range: ByteRange | undefined,
  errand: Errand,
  deadline: ResponseDeadline,
): Promise<Response | PassingFailure> {
  // A server that does not know ranges sends the whole file.
  const window =
    response.status === 200 && range !== undefined && 'offset' in range
      ? { begin: range.offset, end: range.offset + range.length }
      : { begin: 0, end: Number.POSITIVE_INFINITY };
  const pieces: Uint8Array[] = [];
  let received = 0;
  let kept = 0;
  for await (const piece of response.body ?? []) {
    const part = piece.subarray(
      Math.min(piece.length, Math.max(0, window.begin - received)),
      Math.max(0, Math.min(piece.length, window.end - received)),
    );
    received += piece.length;
    kept += part.length;
    deadline.extend(piece.length);
    if (kept > errand.limit) {
      const message = `${errand.address}: the server sends more than ${errand.limit} bytes, the most that can be right`;
      throw new BlockwrightError('ERR_LIMIT', message, { path: errand.address });
    }
    if (part.length > 0) pieces.push(part);
    if (received >= window.end) break;
  }
  const expected = response.headers.get('Content-Length');
  // Of an encoded body the length is another than the file's.
  if (
    expected !== null &&
    !response.headers.has('Content-Encoding') &&
    received < window.end &&
    received !== Number(expected)
  ) {
    return new PassingFailure(`the answer was cut after ${received} of ${expected} bytes`);
  }
  if (
    response.status === 206 &&
    (range === undefined || !isPartOf(response.headers.get('Content-Range'), kept, range))
  ) {
    return new PassingFailure(
      `the server answered with other bytes (${response.headers.get('Content-Range')}) than were asked for`,
    );
  }
  const bytes = new Uint8Array(kept);
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.length;
  }
  return answer(response.status, response.headers, bytes);
}

async function readReason(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    pieces.push(piece);
    length += piece.length;
    if (length > LONGEST_REASON) break;
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Milliseconds. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get('Retry-After');
  if (value === null) return undefined;
  const delay = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(delay) ? delay : undefined;
}

function networkFailure(error: unknown): PassingFailure {
  // fetch says 'fetch failed', and why in the cause.
  const { cause = error } = error as { cause?: unknown };
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const errno = typeof code === 'string' ? { errno: code } : {};
  return new PassingFailure(String(message || code || 'the connection failed'), errno);
}

function failure({ address }: Errand, text: string, details: Readonly<Record<string, unknown>>): BlockwrightError {
  return new BlockwrightError('ERR_IO', `reading ${address}: ${text}`, { path: address, ...details });
}

function cancelled({ address }: Errand): BlockwrightError {
  return new BlockwrightError('ERR_CANCELLED', `reading ${address}: cancelled`, { path: address });
}
