import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
}

/** Answers in place of the server when it returns true; `count` = how often this path was asked for before. */
export type Fault = (request: SeenRequest, response: ServerResponse, count: number) => boolean;

/** An HTTP server on the loopback for a folder, with ranges; faults can be put before it. */
export interface FolderServer {
  /** http://127.0.0.1:PORT */
  readonly address: string;
  readonly requests: SeenRequest[];
  fault: Fault | undefined;
  /** Whether it answers ranges, only those with a first byte, or none. */
  ranges: 'all' | 'no-suffixes' | 'none';
  close(): Promise<void>;
}

export async function serveFolder(folder: string): Promise<FolderServer> {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const self: FolderServer = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    fault: undefined,
    ranges: 'all',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent((request.url ?? '').split('?')[0]);
    const seen = { method: request.method ?? '', path, range: request.headers.range };
    self.requests.push(seen);
    const count = counts.get(path) ?? 0;
    counts.set(path, count + 1);
    if (self.fault?.(seen, response, count)) return;
    const file = join(folder, path);
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
      response.writeHead(404).end('no such file');
      return;
    }
    const bytes = readFileSync(file);
    const part = self.ranges === 'none' ? undefined : partOf(seen.range, bytes.length, self.ranges);
    if (part === undefined) send(200, bytes, {});
    else if (part.begin >= part.end) send(416, Buffer.alloc(0), { 'Content-Range': `bytes */${bytes.length}` });
    else {
      const range = `bytes ${part.begin}-${part.end - 1}/${bytes.length}`;
      send(206, bytes.subarray(part.begin, part.end), { 'Content-Range': range });
    }

    function send(status: number, body: Uint8Array, headers: Record<string, string>): void {
      response.writeHead(status, { ...headers, 'Content-Length': body.length });
      response.end(request.method === 'HEAD' ? undefined : body);
    }
  }
  return self;
}

function partOf(range: string | undefined, size: number, ranges: 'all' | 'no-suffixes') {
  const found = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  if (found === null) return undefined;
  const [, first, last] = found;
  if (first !== '') return { begin: Number(first), end: Math.min(size, Number(last) + 1) };
  return ranges === 'all' ? { begin: Math.max(0, size - Number(last)), end: size } : undefined;
}
